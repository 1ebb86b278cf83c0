"""The shares of the predicted classes in each true class."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from lt_lightning.figures import ramp
from lt_lightning.figures.confusion import Confusion
from lt_lightning.figures.labels import shortened

_LETTERS = 20
_TICKS = 10


def draw_confusion(found: Confusion) -> Figure:
    """Return the picture; a row without images is grey."""
    figure = Figure(figsize=(6.8, 5.8), layout="constrained")
    axes = figure.add_subplot()
    axes.set_facecolor("#BBBBBB")  # shows where a row is masked
    percent = np.ma.masked_invalid(np.array(found.shares, dtype=np.float64))  # None is NaN
    # With many classes a single share is small: the root of it spreads the dark end of the scale.
    norm = PowerNorm(1.0 if found.named else 0.5, vmin=0, vmax=100)
    image = axes.imshow(percent, cmap="cividis", norm=norm)
    figure.colorbar(image, ax=axes, label="share of the true class (%)", shrink=0.85)
    axes.set_title(found.title, parse_math=False)
    classes = len(found.names)
    if found.named:
        names = [shortened(name, _LETTERS) for name in found.names]
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
