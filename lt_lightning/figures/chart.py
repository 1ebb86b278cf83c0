"""A figure of lines and points over two axes, before it is drawn."""

from dataclasses import dataclass, field
from typing import NamedTuple

from lt_lightning.figures.scale import Scale


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


class Border(NamedTuple):
    """Where two groups of classes meet: a size, the group below and the group above."""

    size: float
    small: str
    large: str


@dataclass(frozen=True)
class Chart:
    """A whole figure.

    Attributes:
        title: what it shows.
        x: the horizontal axis.
        y: the vertical axis.
        series: the methods; the first lies on top.
        borders: between the groups of classes, where `x` is the size of a class.
    """

    title: str
    x: Scale
    y: Scale
    series: list[Series]
    borders: list[Border] = field(default_factory=list)
