"""Each figure as one SVG element."""

import base64
import io
from functools import singledispatch

from markupsafe import Markup
from PIL import Image

from lt_lightning.figures import ramp
from lt_lightning.figures.chart import Chart, Point, Series
from lt_lightning.figures.clouds import X_LABEL, Y_LABEL, Clouds
from lt_lightning.figures.confusion import Confusion
from lt_lightning.figures.labels import shortened, spread
from lt_lightning.figures.reliability import Reliability
from lt_lightning.figures.scale import Scale, around
from lt_lightning.figures.svg.frame import Frame
from lt_lightning.figures.svg.jinja import of_figures

Drawable = Chart | Reliability | Confusion | Clouds
_MARKED = 6  # more markers than this hide the line
_PIXELS = 200  # more classes than this are summed over neighbours
_LETTERS = 13  # of a class name beside the matrix
_TICKS = 15  # of so many classes the names stand there, where there is no room for all
# A single share is small among many classes: its root spreads the dark end; by tenths of a percent.
_ROOTS = [ramp.index((10 * tenths) ** 0.5) for tenths in range(1001)]


@singledispatch
def draw(figure: Drawable) -> Markup:
    """Return a figure as an SVG element."""
    raise TypeError(type(figure))


def _filled(template: str, **values: object) -> Markup:
    return Markup(of_figures().get_template(f"{template}.svg.jinja").render(values))


@draw.register
def _(chart: Chart) -> Markup:
    drawn = [(one, marked(one)) for one in reversed(chart.series)]
    return _filled("chart", chart=chart, frame=Frame(chart.x, chart.y), drawn=drawn)


def marked(series: Series) -> list[Point]:
    """Return the points with a marker; of long lines a few, not at the places of the others."""
    points = series.points
    if len(points) <= 2 * _MARKED:
        return points
    step = len(points) // _MARKED
    first = series.style * step // 7 % step
    return [*points[first::step][:_MARKED], points[-1]]


@draw.register
def _(found: Reliability) -> Markup:
    axes = Scale("confidence (%)", 0, 100), Scale("accuracy (%)", 0, 100)
    return _filled("reliability", found=found, frame=Frame(*axes, 300, 280))


@draw.register
def _(found: Clouds) -> Markup:
    x = around(X_LABEL, [point[0] for point in found.points])
    y = around(Y_LABEL, [point[1] for point in found.points])
    return _filled("clouds", found=found, frame=Frame(x, y, 340, 330))


@draw.register
def _(found: Confusion) -> Markup:
    """Draw cells with names up to 20 classes, else one pixel a class."""
    if not found.named:
        data = base64.b64encode(_pixels(found)).decode()
        return _filled("pixels", found=found, data=data, ticks=_ticks(found))
    names = [shortened(name, _LETTERS) for name in found.names]
    return _filled("confusion", found=found, names=names, ramp=ramp)


def _ticks(found: Confusion) -> list[tuple[float, str]]:
    """Return some names and the places of their classes along an axis, from 0 to 1."""
    classes = len(found.names)
    places = spread(classes, _TICKS)
    return [((k + 0.5) / classes, shortened(found.names[k], _LETTERS)) for k in places]


def _pixels(found: Confusion) -> bytes:
    """Return a PNG file with one pixel for each class, or for neighbours where there are many."""
    rows = found.coarse(_PIXELS).shares
    places = bytes(255 if v is None else _ROOTS[round(10 * v)] for row in rows for v in row)
    image = Image.frombytes("P", (len(rows), len(rows)), places)
    image.putpalette([part for colour in ramp.PALETTE for part in colour])
    stream = io.BytesIO()
    image.save(stream, format="PNG", optimize=True)
    return stream.getvalue()
