"""The evaluations of a results.json: what each is called, and which of them it replaces.

An evaluation is known by its weights, by what was changed after training (the change, its options
and its values), and by the conditions that its numbers depend on: the test images, how many of
them, the precision. The same once more replaces itself; anything else stands beside it under
another name.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # it loads torch, and a table must not
    from lt_lightning.runs.past import Past

PRECISION = "32-true"  # of an evaluation, where no other was asked for
_HELD_OUT = "held_out"  # in the place of a folder's name
_SHORT, _LONG = 8, 40  # characters of a digest and of a folder


@dataclass(frozen=True)
class Conditions:
    """What the numbers of an evaluation depend on, beside the weights.

    Attributes:
        fingerprint: of the test images; none where the data module has none.
        own: that of the run's own test images; none where it is not known.
        folder: the folder of other test images, where it was named.
        held_out: whether the held-out images were tested in place of the test split.
        images: how many were tested.
        part: whether test images were left out.
        precision: what was computed in.
    """

    fingerprint: str | None
    own: str | None
    folder: str | None
    images: int
    part: bool
    precision: str
    held_out: bool = False

    @property
    def suffix(self) -> str:
        """What tells them from those of the run's own test, or nothing."""
        found = []
        if self.own is not None and self.fingerprint != self.own:
            name = Path(self.folder).resolve().name if self.folder else ""
            name = _HELD_OUT if self.held_out else name
            told = re.sub(r"[^\w.-]", "_", name, flags=re.ASCII)[:_LONG]
            found.append("-".join(part for part in (told, str(self.fingerprint)[:_SHORT]) if part))
        if self.part:
            found.append(f"{self.images}_images")
        if self.precision != PRECISION:
            found.append(self.precision)
        return f"@{','.join(found)}" if found else ""

    def as_json(self) -> dict[str, Any]:
        """Return what the evaluation says of its test images."""
        return {"fingerprint": self.fingerprint, "folder": self.folder}


def parts(label: str) -> tuple[str, str, str]:
    """Return the weights, the change after training and the conditions of a label.

    >>> parts("last+tau_norm_1@photos-0123abcd")
    ('last', 'tau_norm_1', 'photos-0123abcd')
    """
    name, _, conditions = label.partition("@")
    weights, _, change = name.partition("+")
    return weights, change, conditions


def without_digest(label: str, evaluation: Mapping[str, Any]) -> str:
    """Return a label without the digest that `merge` gave it, where it gave one."""
    digest = _digest(evaluation)
    return label[: -len(digest) - 1] if label.endswith((f"@{digest}", f",{digest}")) else label


def under_own_conditions(label: str, evaluation: Mapping[str, Any]) -> bool:
    """Return whether an evaluation is of the conditions of the run's own test."""
    return not parts(without_digest(label, evaluation))[2]


def merge(
    earlier: Mapping[str, Any], label: str, evaluation: Mapping[str, Any], hardware: Any
) -> tuple[str, dict[str, Any]]:
    """Return the name that the evaluation gets, and all evaluations with it.

    Args:
        earlier: the evaluations so far, by name.
        label: weights, change and conditions.
        evaluation: the new one.
        hardware: that of the run, for evaluations of a time when they did not name their own.
    """
    other, name = earlier.get(label), label
    if other is not None and not _same(other, evaluation, hardware):
        name += "," if "@" in label else "@"
        have, want = _precision(other, hardware), _precision(evaluation, hardware)
        name += str(want) if have != want else _digest(evaluation)
    return name, {**earlier, name: dict(evaluation)}


def chosen_by(weights: str, change: str, best: str, fitted_on: str | None, past: "Past") -> str:
    """Return how the weights of an evaluation were chosen, and what was done to them.

    Args:
        weights: "last", "best", "stage1", or the name of a checkpoint.
        change: after training, or nothing.
        best: what chose the best checkpoint, where it does not tell itself.
        fitted_on: the images that the change was fitted on, if any.
        past: what the weights have behind them, which may have been copied under another name.
    """
    found = {"last": "last epoch", "stage1": "end of stage 1", "best": best}
    text = found.get(weights, "named by the user")
    if past.chosen_by:
        text = f"{text}, {past.chosen_by}" if weights == "stage1" else past.chosen_by
    text += f", built on {past.built_on}" if past.built_on else ""
    fitted = f", fitted on {fitted_on} images" if fitted_on else ""
    return f"{text}, then {change}{fitted}" if change else text


def tested_images(evaluation: Mapping[str, Any]) -> str | None:
    """Return the fingerprint of the test images, or none of an evaluation of earlier versions."""
    told = evaluation.get("test")
    found = told.get("fingerprint") if isinstance(told, Mapping) else None
    return found if isinstance(found, str) else None


def on_other_images(content: Mapping[str, Any], label: str) -> bool:
    """Return whether an evaluation is of other test images than those of its run."""
    own, evaluation = content["data"].get("test_fingerprint"), content["evaluations"][label]
    found = tested_images(evaluation)
    if own is None:  # of an earlier version
        return bool((evaluation.get("test") or {}).get("folder"))
    return found is not None and own != found


def _same(one: Mapping[str, Any], other: Mapping[str, Any], hardware: Any) -> bool:
    """Return whether two evaluations are of the same conditions, as far as they tell."""
    told = all(_agree(one.get(key), other.get(key)) for key in ("test", "post_hoc", "fitted"))
    precision = _precision(one, hardware) == _precision(other, hardware)
    return told and precision and one["images"] == other["images"]


def _agree(one: Any, other: Any) -> bool:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return {**one, "folder": None} == {**other, "folder": None}
    return True


def _precision(evaluation: Mapping[str, Any], hardware: Any) -> Any:
    return evaluation.get("hardware", hardware).get("precision")


def _digest(evaluation: Mapping[str, Any]) -> str:
    told = [evaluation.get(key) for key in ("test", "post_hoc", "images", "fitted")]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:_SHORT]
