"""Test features in the plane, coloured by group."""

from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from lt_lightning.figures.clouds import STYLES, X_LABEL, Y_LABEL, Clouds
from lt_lightning.figures.labels import apart
from lt_lightning.figures.png.style import GROUP_STYLES, OTHER_STYLE, legend_name, plain_names

_SIDE = 6.2
_LETTER, _LINE = 0.018, 0.033  # width of a bold letter and height of a line, shares of the axes


def draw_clouds(found: Clouds) -> Figure:
    """Return the points of each group in its colour and shape; up to 12 classes are named."""
    figure = Figure(figsize=(_SIDE, _SIDE), layout="constrained")
    axes = figure.add_subplot()
    for one in found.groups:
        colour, marker = OTHER_STYLE if one.style == STYLES else GROUP_STYLES[one.style]
        axes.plot(
            *zip(*one.points, strict=True), linestyle="none", marker=marker, color=colour,
            markersize=4, alpha=0.7, markeredgewidth=0,
            label=legend_name(f"{one.group}: {len(one.points)} images"),
        )  # fmt: skip
    for name, x, y in _names(found):
        axes.text(
            x, y, name, ha="center", va="center", fontweight="bold",
            path_effects=[withStroke(linewidth=3, foreground="white")],
        )  # fmt: skip
    axes.set_xlabel(X_LABEL)
    axes.set_ylabel(Y_LABEL)
    axes.set_title(found.title, parse_math=False)
    plain_names(figure.legend(loc="outside lower center", ncols=4))
    return figure


def _names(found: Clouds) -> list[tuple[str, float, float]]:
    """Return each name in the middle of its points, moved where it would lie over another."""
    xs, ys = zip(*found.points, strict=True)
    wide, high = max(xs) - min(xs), max(ys) - min(ys)
    boxes = [(x, y, (len(name) + 1) * _LETTER * wide) for name, x, y in found.names]
    places = apart(boxes, _LINE * high)
    return [(name, x, y) for (name, x, _), y in zip(found.names, places, strict=True)]
