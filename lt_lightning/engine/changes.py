"""A change of a finished run without training, as its checkpoint keeps it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from torch import Tensor

from lt_lightning.errors import UserError, one_sentence
from lt_lightning.runs import gate
from lt_lightning.runs.checkpoint_parts import CHANGES

if TYPE_CHECKING:
    from lt_lightning.engine.base import LongTailModule


class Change(ABC):
    """A change that can be made again from what was fitted, without any data."""

    @abstractmethod
    def put(self, model: "LongTailModule", values: Mapping[str, Tensor]) -> None:
        """Change `model`, which has its trained weights, in place.

        Args:
            model: the model.
            values: what was given or fitted, by name.

        Raises:
            UserError: if the change does not go with this model.
        """

    @abstractmethod
    def describe(self) -> str:
        """Return the name and the values used, for the record of the results; after `put`."""


def put_changes(model: "LongTailModule", content: Mapping[str, Any]) -> None:
    """Make the changes that a checkpoint keeps, in their order.

    Raises:
        UserError: if one is none, or does not go with the model.
    """
    for kept in content.get(CHANGES, ()):
        try:
            change: Change = gate.build(CHANGES, Change, kept["class_path"], kept["init_args"])
            change.put(model, kept["values"])
        except (LookupError, RuntimeError, TypeError, ValueError) as error:
            raise UserError(
                f"The checkpoint cannot be used, for its {CHANGES} are damaged "
                f"({one_sentence(str(error))[:200]}): save the changed run again."
            ) from error


def names_of(content: Mapping[str, Any]) -> list[str]:
    """Return what the changes of a checkpoint are called, in their order."""
    return [str(kept["name"]) for kept in content.get(CHANGES, ())]


def follow(model: "LongTailModule", change: Callable[[Tensor], Tensor]) -> None:
    """Let `change` work on the logits (N, C), after what changes them already."""
    first = model.post_hoc
    model.post_hoc = change if first is None else lambda logits: change(first(logits))
