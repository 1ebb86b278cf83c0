"""Test features in the plane, coloured by group."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from torch import Tensor

from lt_lightning.callbacks.figures import GROUP_STYLES, OTHER_STYLE, legend_name, plain_names
from lt_lightning.report.figures.labels import apart

_NAMED_CLASSES = 12
_SIDE = 6.2
_LETTER, _LINE = 0.018, 0.033  # width of a bold letter and height of a line, shares of the axes


def feature_figure(
    points: Tensor,
    labels: Tensor,
    groups: Mapping[str, Sequence[int]],
    class_names: Sequence[str],
    *,
    title: str,
) -> Figure:
    """Return the points of each group in its colour and shape; up to 12 classes are named.

    Args:
        points: (N, 2), without a unit.
        labels: int64 (N,).
        groups: classes of each group; the last one lies on top.
        class_names: C names.
        title: the title.
    """
    figure = Figure(figsize=(_SIDE, _SIDE), layout="constrained")
    axes = figure.add_subplot()
    group_of = {k: name for name, members in groups.items() for k in members}
    styles = {name: GROUP_STYLES[k % len(GROUP_STYLES)] for k, name in enumerate(groups)}
    styles["no group"] = OTHER_STYLE
    names = [group_of.get(label, "no group") for label in labels.tolist()]
    for name, (colour, marker) in styles.items():
        chosen = [k for k, found in enumerate(names) if found == name]
        if not chosen:
            continue
        x, y = points[chosen].T.numpy()
        axes.plot(
            x, y, linestyle="none", marker=marker, color=colour, markersize=4, alpha=0.7,
            markeredgewidth=0, label=legend_name(f"{name}: {len(chosen)} images"),
        )  # fmt: skip
    present = sorted(set(labels.tolist()))
    if len(present) <= _NAMED_CLASSES:
        _name(axes, points, labels, {label: str(class_names[label]) for label in present})
    axes.set_xlabel("t-SNE, first axis (no unit)")
    axes.set_ylabel("t-SNE, second axis (no unit)")
    axes.set_title(title, parse_math=False)
    plain_names(figure.legend(loc="outside lower center", ncols=4))
    return figure


def _name(axes: Axes, points: Tensor, labels: Tensor, names: Mapping[int, str]) -> None:
    """Write each name in the middle of its points, moved where it would lie over another."""
    wide, high = (points.max(dim=0).values - points.min(dim=0).values).tolist()
    middles = [points[labels == label].median(dim=0).values.tolist() for label in names]
    boxes = [
        (x, y, (len(name) + 1) * _LETTER * wide)
        for (x, y), name in zip(middles, names.values(), strict=True)
    ]
    places = apart(boxes, _LINE * high)
    for name, (x, _, _), y in zip(names.values(), boxes, places, strict=True):
        axes.text(
            x, y, name, ha="center", va="center", fontweight="bold",
            path_effects=[withStroke(linewidth=3, foreground="white")],
        )  # fmt: skip
