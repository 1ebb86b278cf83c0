"""SVG text. Colours come from the page's style sheet, so that it can be light or dark."""

from html import escape

from lt_lightning.report.figures.labels import apart
from lt_lightning.report.figures.scale import Scale, tick_text
from lt_lightning.report.figures.series import Point

WIDTH, HEIGHT = 440, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 54, 14, 14, 44
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


def shape(style: int) -> str:
    """Return the path of a marker around (0, 0)."""
    return _SHAPES[style % len(_SHAPES)]


def marker(style: int) -> str:
    """Return a legend's marker as a picture of its own."""
    return (
        f'<svg class="key s{style}" viewBox="-12 -7 24 14" aria-hidden="true">'
        f'<path class="line" d="M-11 0H11"/><path class="dot" d="{shape(style)}"/></svg>'
    )


class Plot:
    """A picture with two axes; what is added first lies at the bottom.

    Args:
        x: the horizontal axis.
        y: the vertical axis.
        title: what it shows, for those who cannot see it.
        size: width and height of the picture, about what it gets on a phone.
    """

    def __init__(
        self, x: Scale, y: Scale, title: str, size: tuple[int, int] = (WIDTH, HEIGHT)
    ) -> None:
        self.x, self.y, self.title = x, y, title
        self.width, self.height = size
        self.parts: list[str] = []

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point stands in the picture."""
        wide, high = self.width - _LEFT - _RIGHT, self.height - _TOP - _BOTTOM
        return _LEFT + wide * self.x.share(x), _TOP + high * (1 - self.y.share(y))

    def line(self, points: list[Point]) -> None:
        """Add a line through the points, and the band of their spread."""
        places = [self.place(point.x, point.y) for point in points]
        spread = [(p.x, p.low, p.high) for p in points if p.low is not None and p.high is not None]
        if len(spread) > 1:
            upper = [self.place(x, self._inside(high)) for x, _, high in spread]
            lower = [self.place(x, self._inside(low)) for x, low, _ in reversed(spread)]
            self.parts.append(f'<path class="band" d="M{_path([*upper, *lower])}z"/>')
        if len(spread) == 1 and len(places) == 1:
            x, low, high = spread[0]
            self.rule((x, self._inside(low)), (x, self._inside(high)), "line")
        if len(places) > 1:
            self.parts.append(f'<path class="line" d="M{_path(places)}"/>')

    def _inside(self, value: float) -> float:
        return min(max(value, self.y.low), self.y.high)

    def dots(self, points: list[Point], style: int) -> None:
        """Add a marker at each point, which tells its text to a pointer."""
        for point in points:
            x, y = self.place(point.x, point.y)
            hint = f"<title>{escape(point.text)}</title>" if point.text else ""
            self.parts.append(
                f'<path class="dot" transform="translate({x:.1f} {y:.1f})" d="{shape(style)}">'
                f"{hint}</path>"
            )

    def bar(self, span: tuple[float, float], low: float, high: float, kind: str) -> None:
        """Add a bar between two values of y over a span of x."""
        left, top = self.place(span[0], high)
        right, bottom = self.place(span[1], low)
        self.parts.append(
            f'<rect class="{kind}" x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" '
            f'height="{bottom - top:.1f}"/>'
        )

    def rule(self, start: tuple[float, float], end: tuple[float, float], kind: str) -> None:
        """Add a straight line between two points."""
        self.parts.append(
            f'<path class="{kind}" d="M{_path([self.place(*start), self.place(*end)])}"/>'
        )

    def cloud(self, points: list[tuple[float, float]], kind: str) -> None:
        """Add many points as one path."""
        places = (self.place(*point) for point in points)
        path = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in places)
        self.parts.append(f'<path class="{kind}" d="{path}"/>')

    def names(self, names: list[tuple[str, float, float]], kind: str) -> None:
        """Add names at places (x, y), moved where they would lie over one another."""
        boxes = []
        for name, x, y in names:
            left, top = self.place(x, y)
            width = (len(name) + 1) * _LETTER * 1.1  # they are bold
            inside = min(max(left, _LEFT + width / 2), self.width - width / 2)
            boxes.append((inside, top, width))
        for (name, _, _), (x, _, _), y in zip(names, boxes, apart(boxes, _LINE), strict=True):
            self.parts.append(_text(x, y + 4, name, "middle", kind))

    def note(self, x: float, y: float, text: str, anchor: str = "middle") -> None:
        """Add a text inside the axes."""
        left, top = self.place(x, y)
        self.parts.append(
            f'<text class="note" x="{left:.1f}" y="{top:.1f}" text-anchor="{anchor}">'
            f"{escape(text)}</text>"
        )

    def group(self, kind: str, parts: list[str]) -> None:
        """Add parts as one group of a class."""
        self.parts.append(f'<g class="{kind}">{"".join(parts)}</g>')

    def since(self, start: int) -> list[str]:
        """Take back and return the parts added since there were `start`."""
        taken, self.parts = self.parts[start:], self.parts[:start]
        return taken

    def svg(self) -> str:
        """Return the picture."""
        return frame(
            self.title, self.width, self.height, [*self._axes(), *self.parts, *self._names()]
        )

    def _axes(self) -> list[str]:
        found = []
        bottom, right = self.height - _BOTTOM, self.width - _RIGHT
        for value in self.y.ticks():
            _, y = self.place(self.x.low, value)
            found.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{right}"/>')
            found.append(_text(_LEFT - 6, y + 4, tick_text(value), "end"))
        last = 0.0
        for value in self.x.ticks():
            x, _ = self.place(value, self.y.low)
            text = tick_text(value)
            half = len(text) * _LETTER / 2
            found.append(f'<path class="grid" d="M{x:.1f} {_TOP}V{bottom}"/>')
            if x - half > last + 4 and x + half < self.width:  # no tick's text over another's
                found.append(_text(x, bottom + 17, text, "middle"))
                last = x + half
        return found

    def _names(self) -> list[str]:
        bottom, right = self.height - _BOTTOM, self.width - _RIGHT
        middle = (_TOP + bottom) / 2
        return [
            f'<path class="axis" d="M{_LEFT} {_TOP}V{bottom}H{right}"/>',
            _text(
                (_LEFT + self.width - _RIGHT) / 2, self.height - 8, self.x.label, "middle", "name"
            ),
            f'<g transform="translate(12 {middle:.1f}) rotate(-90)">'
            + _text(0, 0, self.y.label, "middle", "name")
            + "</g>",
        ]


def frame(title: str, width: float, height: float, parts: list[str]) -> str:
    """Return a whole picture of some parts."""
    return (
        f'<svg class="plot" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )


def _text(x: float, y: float, text: str, anchor: str, kind: str = "tick") -> str:
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
    )


def _path(places: list[tuple[float, float]]) -> str:
    return "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
