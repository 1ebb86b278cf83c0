"""A change of a finished run without training, as its checkpoint keeps it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from lt_lightning.errors import UserError, one_sentence
from lt_lightning.runs import gate
from lt_lightning.runs.checkpoint_parts import CHANGES

if TYPE_CHECKING:
    from lt_lightning.engine.base import LongTailModule


class Change(ABC):
    """A change that can be made again from what was fitted, without any data.

    Attributes:
        calibrates: whether it goes behind another change.
    """

    calibrates: bool = False

    def check(self, model: "LongTailModule") -> None:  # noqa: B027  most go with any model
        """Refuse a model that the change does not go with, before anything is fitted.

        Raises:
            UserError: if it does not.
        """

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


@dataclass(frozen=True)
class Added:
    """A change on top of a checkpoint, with the values that were given or fitted."""

    change: Change
    values: Mapping[str, Tensor]

    def put(self, model: "LongTailModule") -> str:
        """Change `model` in place and return the name of the change.

        Raises:
            UserError: if the change does not go with this model.
        """
        self.change.check(model)
        self.change.put(model, self.values)
        return self.change.describe()


def check_added(content: Mapping[str, Any], checkpoint: Path, change: Change) -> None:
    """Refuse a second change of a run that was saved with one; a calibration may follow.

    Raises:
        UserError: if it is one.
    """
    names = names_of(content)
    if names and not change.calibrates:
        raise UserError(
            f"{checkpoint} was saved with {names[-1]} already, and {type(change).__name__} is "
            "for a run as it was trained: give the run that it was saved from."
        )


def put_changes(model: "LongTailModule", content: Mapping[str, Any]) -> None:
    """Make the changes that a checkpoint keeps, in their order.

    Raises:
        UserError: if one is none, or does not go with the model.
    """
    for kept in kept_changes(content):
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
    return [kept["name"] for kept in kept_changes(content)]


def kept_changes(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the changes of a checkpoint.

    Raises:
        UserError: if they are no list of changes.
    """
    found = content.get(CHANGES, [])
    parts = {"name": str, "class_path": str, "init_args": dict, "values": dict}
    if not isinstance(found, list | tuple) or not all(
        isinstance(one, dict) and all(isinstance(one.get(k), kind) for k, kind in parts.items())
        for one in found
    ):
        raise UserError(
            f"The checkpoint cannot be used, for its {CHANGES} are damaged: save the changed run "
            "again."
        )
    return list(found)


def follow(model: "LongTailModule", change: Callable[[Tensor], Tensor]) -> None:
    """Let `change` work on the logits (N, C), after what changes them already."""
    first = model.post_hoc
    model.post_hoc = change if first is None else lambda logits: change(first(logits))
