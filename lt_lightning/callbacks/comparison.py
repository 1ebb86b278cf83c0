"""The reliability diagrams of a run side by side: before and after each stage and change."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lt_lightning.figures.reliability import reliability

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FIRST = ("stage1", "last", "best")
_HEADINGS = {"stage1": "end of stage 1", "last": "last epoch", "best": "best epoch"}


def side_by_side(evaluations: Mapping[str, Any], title: str) -> "Figure | None":
    """Return one figure of the evaluations in results.json; none where there is only one.

    The best epoch is shown only where it was changed after training, beside that change.

    Args:
        evaluations: by label.
        title: the title.
    """
    from lt_lightning.figures.png import draw_side_by_side

    evaluations = {k: one for k, one in evaluations.items() if one["reliability"].get("edges")}
    changed = {label.partition("+")[0] for label in evaluations if "+" in label}
    labels = [label for label in evaluations if label in changed - {"last"} or label != "best"]
    if len(labels) < 2:
        return None
    labels.sort(key=lambda label: (_FIRST.index(label) if label in _FIRST else len(_FIRST), label))
    parts = []
    for label in labels:
        one = evaluations[label]
        parts.append((reliability(_heading(label), [one["reliability"]]), one["overall"]))
    return draw_side_by_side(parts, title=title)


def _heading(label: str) -> str:
    weights, _, change = label.partition("+")
    if weights == "last" and change:
        return change.replace("_", " ")
    name = _HEADINGS.get(weights, weights)
    return f"{name}, {change.replace('_', ' ')}" if change else name
