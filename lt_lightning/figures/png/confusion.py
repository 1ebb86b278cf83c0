"""The shares of the predicted classes in each true class."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from lt_lightning.figures import ramp
from lt_lightning.figures.confusion import NAMED, Confusion
from lt_lightning.figures.labels import shortened, spread

_LETTERS = 20
_ALL = 60  # more names than this cannot stand beside each other
_TICKS = 25
_PIXELS = 200  # more classes than this are summed over neighbours
_INCHES = 0.17  # of a name beside others


def draw_confusion(found: Confusion) -> Figure:
    """Return the picture; a row without images is grey."""
    classes = len(found.names)
    where = spread(classes, classes if classes <= _ALL else _TICKS)
    side = max(0.0, _INCHES * len(where) - 3.4)  # beyond what the smallest picture has
    figure = Figure(figsize=(6.8 + side, 5.8 + side), layout="constrained")
    axes = figure.add_subplot()
    axes.set_facecolor("#BBBBBB")  # shows where a row is masked
    seen = found.coarse(_PIXELS) if classes > _PIXELS else found
    percent = np.ma.masked_invalid(np.array(seen.shares, dtype=np.float64))  # None is NaN
    # With many classes a single share is small: the root of it spreads the dark end of the scale.
    norm = PowerNorm(1.0 if found.named else 0.5, vmin=0, vmax=100)
    end = len(seen.names) * -(-classes // _PIXELS) - 0.5  # of the last cell, counted in classes
    image = axes.imshow(percent, cmap="cividis", norm=norm, extent=(-0.5, end, end, -0.5))
    figure.colorbar(image, ax=axes, label="share of the true class (%)", shrink=0.85)
    axes.set_title(found.title, parse_math=False)
    names = [shortened(" ".join(found.names[k].split()), _LETTERS) for k in where]
    few = len(where) <= NAMED
    axes.set_xticks(where, names, rotation=45 if few else 90, ha="right" if few else "center",
                    rotation_mode="anchor" if few else "default", parse_math=False,
                    fontsize=None if few else "small")  # fmt: skip
    axes.set_yticks(where, names, parse_math=False, fontsize=None if few else "small")
    some = "" if len(where) == classes else f" ({len(where)} of {classes} named)"
    axes.set(xlabel=f"predicted class{some}", ylabel=f"true class{some}")
    if found.annotated:
        _annotate(axes, found)
    return figure


def _annotate(axes: Axes, found: Confusion) -> None:
    """Write the percentages into the cells; the zeros stay free."""
    for row, values in enumerate(found.shares):
        for column, value in enumerate(values):
            if value is not None and round(value):
                colour = "black" if value > ramp.MIDDLE else "white"
                axes.text(column, row, f"{value:.0f}", ha="center", va="center", color=colour,
                          fontsize="small")  # fmt: skip
