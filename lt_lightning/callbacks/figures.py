"""Figures of one test: accuracy over class size, confusion, reliability.

Pure functions from numbers to a matplotlib Figure. No global state of pyplot is touched, so they
work without a display and in any thread.
"""

import io
import math
import warnings
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter
from torch import Tensor

# Blue, orange and wine differ in lightness too, so they stay apart for colour-blind eyes and in
# grey; each group has its own marker besides.
GROUP_STYLES = (
    ("#0072B2", "o"), ("#E69F00", "s"), ("#882255", "^"), ("#009E73", "D"), ("#56B4E9", "v"),
    ("#CC79A7", "P"), ("#000000", "X"),
)  # fmt: skip
OTHER_STYLE = ("#777777", "x")
_ACCURACY, _OVER, _UNDER = "#56B4E9", "#D55E00", "#009E73"
_NAMED_CLASSES = 20  # more names than this cannot be read
_ANNOTATED_CLASSES = 12
_NAME_LENGTH = 20
_TICKS = 10
_PANELS = 4  # reliability diagrams in a row


def accuracy_per_class(
    class_counts: Tensor, accuracy: Tensor, groups: Mapping[str, Sequence[int]], *, title: str
) -> Figure:
    """Return the accuracy of each class over its training images, by group.

    Args:
        class_counts: (C,), training images per class.
        accuracy: (C,) in [0, 1]; NaN for a class without test images, which is not drawn.
        groups: classes of each group.
        title: the title.
    """
    figure = Figure(figsize=(6.4, 4.8), layout="constrained")
    axes = figure.add_subplot()
    counts, percent = class_counts.numpy(), 100 * accuracy.numpy()
    usable = ~np.isnan(percent) & (counts > 0)
    size = 6 if len(counts) <= 150 else 3.5
    rest = sorted(set(range(len(counts))).difference(*groups.values()))
    styles = [GROUP_STYLES[k % len(GROUP_STYLES)] for k in range(len(groups))]
    parts = [*zip(groups.items(), styles, strict=True), (("no group", rest), OTHER_STYLE)]
    for (name, members), (colour, marker) in parts:
        index = np.array([k for k in members if usable[k]], dtype=np.int64)
        if not len(index):
            continue
        mean = percent[index].mean()
        classes = f"{len(index)} class" + ("es" if len(index) > 1 else "")
        label = legend_name(f"{name}: {mean:.1f} %, {classes}")
        x, y = counts[index], percent[index]
        axes.plot(
            x, y, linestyle="none", marker=marker, color=colour, markersize=size, alpha=0.8,
            markeredgecolor="white", markeredgewidth=0.5, label=label, clip_on=False,
        )  # fmt: skip
        # A white rim keeps the line apart from the points of its own colour.
        axes.hlines(mean, x.min(), x.max(), colors=colour, linewidth=2, zorder=3,
                    path_effects=[withStroke(linewidth=4, foreground="white")])  # fmt: skip
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(FuncFormatter(_minor_label))
    # Of one size, so that the labels of both kinds of ticks stand on one line.
    axes.tick_params(axis="x", which="both", length=3.5, pad=3.5)
    axes.set(xlabel="training images of the class (log scale)", ylabel="test accuracy (%)")
    axes.set_ylim(0, 100)
    axes.grid(alpha=0.3)
    axes.set_title(title, parse_math=False)
    if usable.any():
        legend = figure.legend(
            loc="outside lower center",
            ncols=3,
            title="line: mean of the group",
            fontsize="small",
            title_fontsize="small",
        )
        plain_names(legend)
    return figure


def legend_name(name: str) -> str:
    """Return a name that matplotlib shows: it leaves out those with an underscore in front."""
    return f" {name}" if name.startswith("_") else name


def plain_names(legend: Legend) -> None:
    """Show the names as they are; a dollar sign begins no formula."""
    for text in legend.get_texts():
        text.set_parse_math(False)


def _minor_label(value: float, _: int | None) -> str:
    """Return a label for 2 and 5 times a power of ten, nothing for the rest."""
    lead = value / 10 ** math.floor(math.log10(value))
    return f"{value:g}" if round(lead) in (2, 5) else ""


def confusion_matrix(counts: Tensor, class_names: Sequence[str], *, title: str) -> Figure:
    """Return the shares of the predicted classes in each true class.

    Args:
        counts: int64 (C, C), rows are true classes; a row without images is drawn grey.
        class_names: C names.
        title: the title.
    """
    classes = len(class_names)
    table = counts.numpy().astype(np.float64)
    images = table.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        percent = np.ma.masked_invalid(100 * table / images)
    figure = Figure(figsize=(6.8, 5.8), layout="constrained")
    axes = figure.add_subplot()
    axes.set_facecolor("#BBBBBB")  # shows where a row is masked
    # With many classes a single share is small: the root of it spreads the dark end of the scale.
    norm = PowerNorm(1.0 if classes <= _NAMED_CLASSES else 0.5, vmin=0, vmax=100)
    image = axes.imshow(percent, cmap="cividis", norm=norm)
    figure.colorbar(image, ax=axes, label="share of the true class (%)", shrink=0.85)
    axes.set_title(title, parse_math=False)
    if classes <= _NAMED_CLASSES:
        names = [_short(name) for name in class_names]
        where = range(classes)
        axes.set_xticks(where, names, rotation=45, ha="right", rotation_mode="anchor",
                        parse_math=False)  # fmt: skip
        axes.set_yticks(where, names, parse_math=False)
        axes.set(xlabel="predicted class", ylabel="true class")
    else:
        step = math.ceil(classes / _TICKS / 5) * 5
        axes.set_xticks(range(0, classes, step))
        axes.set_yticks(range(0, classes, step))
        axes.set(xlabel="index of the predicted class", ylabel="index of the true class")
    if classes <= _ANNOTATED_CLASSES:
        _annotate(axes, percent)
    return figure


def _annotate(
    axes: Axes, percent: "np.ma.MaskedArray[tuple[int, int], np.dtype[np.float64]]"
) -> None:
    """Write the percentages into the cells; the zeros stay free."""
    for (row, column), value in np.ndenumerate(percent.filled(0)):
        if round(value):
            colour = "black" if value > 50 else "white"
            axes.text(column, row, f"{value:.0f}", ha="center", va="center", color=colour,
                      fontsize="small")  # fmt: skip


def _short(name: str) -> str:
    return name if len(name) <= _NAME_LENGTH else name[: _NAME_LENGTH - 1] + "…"


def reliability_diagram(
    reliability: Mapping[str, Tensor], values: Mapping[str, float], *, title: str
) -> Figure:
    """Return accuracy over confidence, and how many images each bin has.

    Args:
        reliability: what `ClassStats.reliability` returns.
        values: what `ClassStats.compute` returns; `acc` and `ece` are printed.
        title: the title.
    """
    figure = Figure(figsize=(5.6, 6.4), layout="constrained")
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    _reliability_bars(axes, reliability)
    axes.set(ylabel="accuracy (%)")
    total = reliability["total"].numpy()
    images, bins = int(total.sum()), len(total)
    numbers = ", ".join(filter(None, (_numbers(values), f"{images} images", f"{bins} bins")))
    axes.set_title(f"{title}\n{numbers}", parse_math=False)
    edges, filled = 100 * reliability["edges"].numpy(), total > 0
    share = 100 * total[filled] / max(images, 1)
    below.bar(edges[:-1][filled], share, np.diff(edges)[filled], align="edge", color="#777777",
              edgecolor="white")  # fmt: skip
    below.set(xlabel="confidence (%)", ylabel="images (%)")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2,
                  fontsize="small")  # fmt: skip
    return figure


def reliability_side_by_side(
    parts: Sequence[tuple[str, Mapping[str, Tensor], Mapping[str, float | None]]], *, title: str
) -> Figure:
    """Return several reliability diagrams on one scale: before and after a stage or a change.

    Args:
        parts: a heading, and what `reliability_diagram` takes, for each.
        title: the title of all.
    """
    columns = min(len(parts), _PANELS)
    rows = math.ceil(len(parts) / columns)
    figure = Figure(figsize=(3.4 * columns, 3.6 * rows + 0.9), layout="constrained")
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    shown: dict[str, Artist] = {}
    for axes, (heading, reliability, values) in zip(grid.flat, parts, strict=False):
        _reliability_bars(axes, reliability)
        axes.set_title(f"{heading}\n{_numbers(values)}", parse_math=False, fontsize="medium")
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


def _reliability_bars(axes: Axes, reliability: Mapping[str, Tensor]) -> None:
    """Draw the accuracy of each bin and its gap to the confidence."""
    edges, filled = 100 * reliability["edges"].numpy(), reliability["total"].numpy() > 0
    accuracy = 100 * reliability["accuracy"].numpy()[filled]
    confidence = 100 * reliability["confidence"].numpy()[filled]
    left, width = edges[:-1][filled], np.diff(edges)[filled]
    axes.bar(left, accuracy, width, align="edge", color=_ACCURACY, edgecolor="white",
             label="accuracy")  # fmt: skip
    for wrong, name, colour, hatch in (
        (confidence > accuracy, "gap: too confident", _OVER, "//"),
        (confidence < accuracy, "gap: not confident enough", _UNDER, "\\\\"),
    ):
        if wrong.any():
            low = np.minimum(accuracy, confidence)[wrong]
            gap = np.abs(accuracy - confidence)[wrong]
            axes.bar(left[wrong], gap, width[wrong], bottom=low, align="edge", color=colour,
                     alpha=0.75, hatch=hatch, edgecolor="white", label=name)  # fmt: skip
    axes.plot([0, 100], [0, 100], color="black", linestyle="--", linewidth=1, label="calibrated")
    axes.set(xlim=(0, 100), ylim=(0, 100))


def _numbers(values: Mapping[str, float | None]) -> str:
    known = [(label, values.get(key)) for label, key in (("accuracy", "acc"), ("ECE", "ece"))]
    return ", ".join(f"{label} {100 * value:.1f} %" for label, value in known if value is not None)


def knob_curve(curve: Mapping[float, float], knob: str, images: str) -> Figure:
    """Return the macro accuracy over the values of a knob; the first of the best was chosen.

    Args:
        curve: macro accuracy in [0, 1] by value.
        knob: its name, such as tau.
        images: the images that were scored, such as held-out.
    """
    chosen = max(curve, key=curve.__getitem__)
    figure = Figure(figsize=(5.6, 3.8), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(list(curve), [100 * value for value in curve.values()], color="#0072B2", marker="o",
              markersize=4)  # fmt: skip
    axes.plot([chosen], [100 * curve[chosen]], color=_OVER, marker="D", markersize=9,
              linestyle="none", label=f"chosen: {chosen:g}")  # fmt: skip
    axes.set(xlabel=knob, ylabel=f"macro accuracy on {images} images (%)")
    axes.set_title(f"{knob} chosen on {images} images")
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    return figure


def to_png(figure: Figure) -> bytes:
    """Return the figure as the content of a PNG file."""
    stream = io.BytesIO()
    with warnings.catch_warnings():
        # Class names may be in a script that matplotlib's own font lacks; boxes are drawn then.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from ")
        figure.savefig(stream, format="png", dpi=120)
    return stream.getvalue()
