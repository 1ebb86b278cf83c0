"""Accuracy over confidence."""

import math
from collections.abc import Mapping, Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lt_lightning.figures.png.style import ACCURACY, OVER, UNDER
from lt_lightning.figures.reliability import Reliability

_PANELS = 4  # diagrams in a row
_GAPS = (
    ("over", "gap: too confident", OVER, "//"),
    ("under", "gap: not confident enough", UNDER, "\\\\"),
)


def draw_reliability(found: Reliability, values: Mapping[str, float | None]) -> Figure:
    """Return the diagram, and how many images each bin has.

    Args:
        found: the diagram.
        values: the metrics by name; `acc` and `ece` are printed.
    """
    figure = Figure(figsize=(5.6, 6.4), layout="constrained")
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    _bars(axes, found)
    axes.set(ylabel="accuracy (%)")
    numbers = (_numbers(values), f"{found.images} images", f"{found.of} bins")
    axes.set_title(f"{found.title}\n{', '.join(filter(None, numbers))}", parse_math=False)
    below.bar(
        [100 * one.low for one in found.bins],
        [100 * one.images / found.images for one in found.bins],
        [100 * (one.high - one.low) for one in found.bins],
        align="edge", color="#777777", edgecolor="white",
    )  # fmt: skip
    below.set(xlabel="confidence (%)", ylabel="images (%)")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2,
                  fontsize="small")  # fmt: skip
    return figure


def draw_side_by_side(
    parts: Sequence[tuple[Reliability, Mapping[str, float | None]]], *, title: str
) -> Figure:
    """Return several diagrams on one scale: before and after a stage or a change.

    Args:
        parts: what `draw_reliability` takes, for each.
        title: the title of all.
    """
    columns = min(len(parts), _PANELS)
    rows = math.ceil(len(parts) / columns)
    figure = Figure(figsize=(3.4 * columns, 3.6 * rows + 0.9), layout="constrained")
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    shown: dict[str, Artist] = {}
    for axes, (found, values) in zip(grid.flat, parts, strict=False):
        _bars(axes, found)
        axes.set_title(f"{found.title}\n{_numbers(values)}", parse_math=False, fontsize="medium")
        shown |= {str(name): h for h, name in zip(*axes.get_legend_handles_labels(), strict=True)}
    for axes in grid.flat[len(parts) :]:
        axes.set_axis_off()
    # Of each column the last diagram; a label of the whole figure would lie under the legend.
    for axes in grid.flat[max(len(parts) - columns, 0) : len(parts)]:
        axes.tick_params(labelbottom=True)
        axes.set_xlabel("confidence (%)")
    for axes in grid[:, 0]:
        axes.set_ylabel("accuracy (%)")
    figure.suptitle(title, parse_math=False)
    figure.legend(list(shown.values()), list(shown), loc="outside lower center", ncols=len(shown),
                  fontsize="small")  # fmt: skip
    return figure


def _bars(axes: Axes, found: Reliability) -> None:
    """Draw the accuracy of each bin and its gap to the confidence."""
    left = [100 * one.low for one in found.bins]
    width = [100 * (one.high - one.low) for one in found.bins]
    accuracy = [100 * one.accuracy for one in found.bins]
    axes.bar(left, accuracy, width, align="edge", color=ACCURACY, edgecolor="white",
             label="accuracy")  # fmt: skip
    for kind, name, colour, hatch in _GAPS:
        wrong = [one for one in found.bins if one.gap == kind]
        if wrong:
            axes.bar(
                [100 * one.low for one in wrong],
                [100 * abs(one.accuracy - one.confidence) for one in wrong],
                [100 * (one.high - one.low) for one in wrong],
                bottom=[100 * min(one.accuracy, one.confidence) for one in wrong],
                align="edge", color=colour, alpha=0.75, hatch=hatch, edgecolor="white", label=name,
            )  # fmt: skip
    axes.plot([0, 100], [0, 100], color="black", linestyle="--", linewidth=1, label="calibrated")
    axes.set(xlim=(0, 100), ylim=(0, 100))


def _numbers(values: Mapping[str, float | None]) -> str:
    known = [(label, values.get(key)) for label, key in (("accuracy", "acc"), ("ECE", "ece"))]
    return ", ".join(f"{label} {100 * value:.1f} %" for label, value in known if value is not None)
