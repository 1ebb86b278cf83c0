"""One point of a figure: a mean with one standard deviation on both sides."""

from lt_lightning.figures.chart import Point
from lt_lightning.report.statistics import Summary


def point_of(x: float, found: Summary, text: str) -> Point:
    """Return the mean at `x`; of one value there is no spread."""
    if found.sd is None:
        return Point(x, found.mean, text=text)
    return Point(x, found.mean, found.mean - found.sd, found.mean + found.sd, text)
