"""A figure of several methods as lines."""

from collections.abc import Callable, Sequence

from lt_lightning.report.figures.scale import Scale
from lt_lightning.report.figures.series import Point, Series
from lt_lightning.report.figures.svg import Plot

_MARKED = 6  # more markers than this hide the line


def lines(
    title: str,
    x: Scale,
    y: Scale,
    series: Sequence[Series],
    ground: Callable[[Plot], None] | None = None,
) -> str:
    """Return a picture with a line for each series; the first lies on top.

    Args:
        title: what it shows.
        x: the horizontal axis.
        y: the vertical axis.
        series: the methods.
        ground: adds what lies below the lines.
    """
    plot = Plot(x, y, title)
    if ground is not None:
        ground(plot)
    for one in reversed(series):
        start = len(plot.parts)
        plot.line(one.points)
        plot.dots(_marked(one), one.style)
        plot.group(f"series s{one.style}", plot.since(start))
    return plot.svg()


def _marked(series: Series) -> list[Point]:
    """Return the points with a marker; of long lines a few, not at the places of the others."""
    points = series.points
    if len(points) <= 2 * _MARKED:
        return points
    step = len(points) // _MARKED
    first = series.style * step // 7 % step
    return [*points[first::step][:_MARKED], points[-1]]
