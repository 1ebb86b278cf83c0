"""A change of a finished run without training, as its checkpoint keeps it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
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
        goes_last: whether it goes behind every other change, and none behind it.
        sources: the options that only say where the values come from, so that the outputs depend
            on the values alone.
    """

    calibrates: bool = False
    goes_last: bool = False
    sources: tuple[str, ...] = ()

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

    def of_model(self, model: "LongTailModule") -> Mapping[str, Tensor]:
        """Return the values that follow from the options and the model alone.

        Raises:
            UserError: if the options do not go with the model.
        """
        return {}

    def log_shares_after(self, model: "LongTailModule", before: Tensor) -> Tensor:
        """Return the log class shares that the changed outputs assume, (C,).

        Most changes are remedies for the long tail, after which every class counts the same.

        Args:
            model: after `put`.
            before: those of the outputs as they were, float64 (C,), up to a constant.
        """
        return torch.zeros_like(before)

    @abstractmethod
    def describe(self) -> str:
        """Return the name and the values used, for the record of the results; after `put`."""


@dataclass(frozen=True)
class Added:
    """A change on top of a checkpoint, with the values that were given or fitted.

    Attributes:
        change: the change.
        values: by name; none where they follow from the model.
    """

    change: Change
    values: Mapping[str, Tensor] | None

    def put(self, model: "LongTailModule") -> "Added":
        """Change `model` in place and return the change with its values.

        Raises:
            UserError: if the change does not go with this model.
        """
        self.change.check(model)
        values = self.change.of_model(model) if self.values is None else self.values
        put_one(model, self.change, values)
        return Added(self.change, values)


def check_added(content: Mapping[str, Any], checkpoint: Path, change: Change) -> None:
    """Refuse a second change of a run that was saved with one; a calibration may follow.

    Raises:
        UserError: if it is one.
    """
    names, kept = names_of(content), kept_changes(content)
    if kept and _built(kept[-1]).goes_last:
        raise UserError(
            f"{checkpoint} was saved with {names[-1]}, and no change goes behind it: give the run "
            "that it was saved from."
        )
    if names and not (change.calibrates or change.goes_last):
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
        change = _built(kept)
        try:
            put_one(model, change, kept["values"])
        except (LookupError, RuntimeError, TypeError, ValueError) as error:
            raise _damaged(error) from error


def put_one(model: "LongTailModule", change: Change, values: Mapping[str, Tensor]) -> None:
    """Change `model` in place, and note the class shares that its outputs assume from now on.

    Raises:
        UserError: if the change does not go with the model.
    """
    before = model.log_shares()
    change.put(model, values)
    model.changed_log_shares = change.log_shares_after(model, before)


def _built(kept: Mapping[str, Any]) -> Change:
    try:
        change: Change = gate.build(CHANGES, Change, kept["class_path"], kept["init_args"])
    except (LookupError, RuntimeError, TypeError, ValueError) as error:
        raise _damaged(error) from error
    return change


def _damaged(error: Exception) -> UserError:
    return UserError(
        f"The checkpoint cannot be used, for its {CHANGES} are damaged "
        f"({one_sentence(str(error))[:200]}): save the changed run again."
    )


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
