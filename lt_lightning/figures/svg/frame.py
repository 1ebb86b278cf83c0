"""Where things stand in a picture with two axes."""

from collections.abc import Sequence
from dataclasses import dataclass

from lt_lightning.figures.chart import Point
from lt_lightning.figures.labels import apart
from lt_lightning.figures.scale import Scale, tick_text

LEFT, _RIGHT, TOP, _BOTTOM = 54, 14, 14, 44
_LETTER = 6.6  # width of a letter of the labels
_LINE = 14.0  # their height
_SHAPES = (
    "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",
    "M-3.6 -3.6h7.2v7.2h-7.2z",
    "M0 -4.8L4.6 3.4H-4.6z",
    "M0 -5L5 0L0 5L-5 0z",
    "M0 4.8L4.6 -3.4H-4.6z",
    "M-1.6 -4.6h3.2v3h3v3.2h-3v3h-3.2v-3h-3v-3.2h3z",
    "M0 -5L4.8 -1.5L3 4.1H-3L-4.8 -1.5z",
)
Place = tuple[float, float]


def shape(style: int) -> str:
    """Return the path of a marker around (0, 0)."""
    return _SHAPES[style % len(_SHAPES)]


@dataclass(frozen=True)
class Frame:
    """A picture with two axes.

    Attributes:
        x: the horizontal axis.
        y: the vertical axis.
        width: of the picture, about what it gets on a phone.
        height: of the picture.
    """

    x: Scale
    y: Scale
    width: int = 440
    height: int = 300
    left = LEFT
    top = TOP

    @property
    def right(self) -> int:
        """The right end of the horizontal axis."""
        return self.width - _RIGHT

    @property
    def bottom(self) -> int:
        """The lower end of the vertical axis."""
        return self.height - _BOTTOM

    def place(self, x: float, y: float) -> Place:
        """Return where a point stands in the picture."""
        across, up = self.x.share(x), self.y.share(y)
        return (
            self.left + (self.right - self.left) * across,
            self.top + (self.bottom - self.top) * (1 - up),
        )

    def line(self, *points: Place) -> str:
        """Return the path through some points (x, y)."""
        return "M" + "L".join("{:.1f} {:.1f}".format(*self.place(*point)) for point in points)

    def through(self, points: Sequence[Point]) -> str:
        """Return the path through the points of a series; of one the bar of its spread."""
        if len(points) > 1:
            return self.line(*((point.x, point.y) for point in points))
        return "".join(self.line((x, low), (x, high)) for x, low, high in self._spread(points))

    def band(self, points: Sequence[Point]) -> str:
        """Return the path around the spread of a series, or nothing."""
        found = self._spread(points)
        if len(found) < 2:
            return ""
        upper = [(x, high) for x, _, high in found]
        lower = [(x, low) for x, low, _ in reversed(found)]
        return f"{self.line(*upper, *lower)}z"

    def _spread(self, points: Sequence[Point]) -> list[tuple[float, float, float]]:
        return [
            (point.x, self._inside(point.low), self._inside(point.high))
            for point in points
            if point.low is not None and point.high is not None
        ]

    def _inside(self, value: float) -> float:
        return min(max(value, self.y.low), self.y.high)

    def dust(self, points: Sequence[Place]) -> str:
        """Return many points as one path, for thousands of marks are slow."""
        places = (self.place(*point) for point in points)
        return "".join(f"M{x:.1f} {y:.1f}h0" for x, y in places)

    def names(self, names: Sequence[tuple[str, float, float]]) -> list[tuple[str, Place]]:
        """Return names at places (x, y), moved where they would lie over one another."""
        boxes = []
        for name, x, y in names:
            left, top = self.place(x, y)
            width = (len(name) + 1) * _LETTER * 1.1  # they are bold
            inside = min(max(left, self.left + width / 2), self.width - width / 2)
            boxes.append((inside, top, width))
        moved = zip(names, boxes, apart(boxes, _LINE), strict=True)
        return [(name, (x, y + 4)) for (name, _, _), (x, _, _), y in moved]

    @property
    def y_ticks(self) -> list[tuple[float, str]]:
        """The ticks of the vertical axis: where, and what they say."""
        return [(self.place(self.x.low, v)[1], tick_text(v)) for v in self.y.ticks()]

    @property
    def x_ticks(self) -> list[tuple[float, str]]:
        """Those of the horizontal axis; one whose text has no room says nothing."""
        found, last = [], 0.0
        for value in self.x.ticks():
            x, text = self.place(value, self.y.low)[0], tick_text(value)
            half = len(text) * _LETTER / 2
            if x - half > last + 4 and x + half < self.width:
                last = x + half
            else:
                text = ""
            found.append((x, text))
        return found
