"""The reliability diagrams of a run side by side: before and after each stage and change."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FIRST = ("stage1", "last", "best")
_DRAWN = ("edges", "total", "accuracy", "confidence")
_HEADINGS = {"stage1": "end of stage 1", "last": "last epoch", "best": "best epoch"}


def side_by_side(evaluations: Mapping[str, Any], title: str) -> "Figure | None":
    """Return one figure of the evaluations in results.json; none where there is only one.

    The best epoch is shown only where it was changed after training, beside that change.

    Args:
        evaluations: by label.
        title: the title.
    """
    from lt_lightning.callbacks.figures import reliability_side_by_side

    evaluations = {k: one for k, one in evaluations.items() if one["reliability"].get("edges")}
    changed = {label.partition("+")[0] for label in evaluations if "+" in label}
    labels = [label for label in evaluations if label in changed - {"last"} or label != "best"]
    if len(labels) < 2:
        return None
    labels.sort(key=lambda label: (_FIRST.index(label) if label in _FIRST else len(_FIRST), label))
    parts = [(_heading(label), *_numbers(evaluations[label])) for label in labels]
    return reliability_side_by_side(parts, title=title)


def _heading(label: str) -> str:
    weights, _, change = label.partition("+")
    if weights == "last" and change:
        return change.replace("_", " ")
    name = _HEADINGS.get(weights, weights)
    return f"{name}, {change.replace('_', ' ')}" if change else name


def _numbers(evaluation: Mapping[str, Any]) -> tuple[dict[str, Tensor], dict[str, float | None]]:
    found = evaluation["reliability"]
    reliability = {
        name: torch.tensor(
            [math.nan if value is None else value for value in found[name]], dtype=torch.float64
        )
        for name in _DRAWN
    }
    return reliability, dict(evaluation["overall"])
