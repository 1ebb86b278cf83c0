"""What a figure of lines shows, before it is drawn."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Point:
    """One value, with its spread over the seeds where there are several."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None
    text: str = ""  # what a pointer over it tells


@dataclass(frozen=True)
class Series:
    """The points of one method; `style` is its colour and shape, the same all over a section."""

    name: str
    style: int
    points: list[Point] = field(default_factory=list)
