"""The accuracy of each class over its training images."""

import math

from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter

from lt_lightning.figures.class_size import ClassAccuracy
from lt_lightning.figures.png.style import GROUP_STYLES, OTHER_STYLE, legend_name, plain_names


def draw_class_accuracy(found: ClassAccuracy) -> Figure:
    """Return the picture: the classes of each group in its colour, and a line at their mean."""
    figure = Figure(figsize=(6.4, 4.8), layout="constrained")
    axes = figure.add_subplot()
    size = 6 if found.classes <= 150 else 3.5
    styles = [GROUP_STYLES[k % len(GROUP_STYLES)] for k in range(len(found.groups) - 1)]
    for (name, classes), (colour, marker) in zip(found.groups, [*styles, OTHER_STYLE], strict=True):
        if not classes:
            continue
        x, y = [one.images for one in classes], [one.value for one in classes]
        mean = math.fsum(y) / len(y)
        number = f"{len(classes)} class" + ("es" if len(classes) > 1 else "")
        axes.plot(
            x, y, linestyle="none", marker=marker, color=colour, markersize=size, alpha=0.8,
            markeredgecolor="white", markeredgewidth=0.5, clip_on=False,
            label=legend_name(f"{name}: {mean:.1f} %, {number}"),
        )  # fmt: skip
        # A white rim keeps the line apart from the points of its own colour.
        axes.hlines(mean, min(x), max(x), colors=colour, linewidth=2, zorder=3,
                    path_effects=[withStroke(linewidth=4, foreground="white")])  # fmt: skip
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(FuncFormatter(_minor_label))
    # Of one size, so that the labels of both kinds of ticks stand on one line.
    axes.tick_params(axis="x", which="both", length=3.5, pad=3.5)
    axes.set(xlabel="training images of the class (log scale)", ylabel="test accuracy (%)")
    axes.set_ylim(0, 100)
    axes.grid(alpha=0.3)
    axes.set_title(found.title, parse_math=False)
    if axes.lines:
        legend = figure.legend(
            loc="outside lower center", ncols=3, title="line: mean of the group",
            fontsize="small", title_fontsize="small",
        )  # fmt: skip
        plain_names(legend)
    return figure


def _minor_label(value: float, _: int | None) -> str:
    """Return a label for 2 and 5 times a power of ten, nothing for the rest."""
    lead = value / 10 ** math.floor(math.log10(value))
    return f"{value:g}" if round(lead) in (2, 5) else ""
