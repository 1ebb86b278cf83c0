"""What classes of each size get: points over their training images."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from lt_lightning.figures.chart import Border, Point

NO_GROUP = "no group"
_BINS = 12  # more classes than this are averaged over neighbours in size


class Sized(NamedTuple):
    """One class: its training images, its value, its name."""

    images: int
    value: float
    name: str


@dataclass(frozen=True)
class ClassAccuracy:
    """The accuracy of each class over its training images, by group.

    Attributes:
        title: what it shows.
        groups: the classes of each group, accuracies in percent, the last one those of none.
        classes: how many classes there are, with those that are not drawn.
    """

    title: str
    groups: list[tuple[str, list[Sized]]]
    classes: int

    @classmethod
    def of(
        cls, title: str, rows: Sequence[Mapping[str, Any]], groups: Mapping[str, Sequence[int]]
    ) -> "ClassAccuracy":
        """Return the figure of one test.

        Args:
            title: what it shows.
            rows: `classes` of an evaluation in results.json.
            groups: the classes of each group.
        """
        rest = sorted(set(range(len(rows))).difference(*groups.values()))
        parts = [*groups.items(), (NO_GROUP, rest)]
        return cls(title, [(name, _accuracies(rows, own)) for name, own in parts], len(rows))


def _accuracies(rows: Sequence[Mapping[str, Any]], members: Sequence[int]) -> list[Sized]:
    own = [rows[k] for k in members]
    values = [None if row["accuracy"] is None else 100 * row["accuracy"] for row in own]
    return sized([row["training_images"] for row in own], values, [row["name"] for row in own])


def sized(
    counts: Sequence[int], values: Sequence[float | None], names: Sequence[object]
) -> list[Sized]:
    """Return the classes that have training images and a value."""
    return [
        Sized(count, value, str(name))
        for count, value, name in zip(counts, values, names, strict=True)
        if value is not None and count > 0
    ]


def over_size(method: str, classes: Sequence[Sized], unit: str) -> list[Point]:
    """Return the values over the training images of the classes.

    Up to 12 classes stand for themselves, more are averaged in 12 bins of as many classes each.

    Args:
        method: whose values they are.
        classes: in any order.
        unit: follows the number in a point's text.
    """
    ordered = sorted(classes, key=lambda one: one.images)
    count = min(_BINS, len(ordered))
    edges = [round(k * len(ordered) / count) for k in range(count + 1)] if count else []
    return [_point(method, ordered[a:b], unit) for a, b in pairwise(edges)]


def _point(method: str, part: Sequence[Sized], unit: str) -> Point:
    size = math.exp(math.fsum(math.log(one.images) for one in part) / len(part))
    mean = math.fsum(one.value for one in part) / len(part)
    what = part[0].name if len(part) == 1 else f"{len(part)} classes"
    images = f"{part[0].images}" if len(part) == 1 else f"{part[0].images} to {part[-1].images}"
    return Point(size, mean, text=f"{method}: {what}, {images} images, {mean:.3g}{unit}")


def binned(classes: int) -> str:
    """Return how `over_size` shows so many classes, or nothing where each has its point."""
    return "" if classes <= _BINS else f"{classes} classes in {_BINS} bins of equal number. "


def borders(counts: Sequence[int], groups: Mapping[str, Sequence[int]]) -> list[Border]:
    """Return the sizes between two groups, with the smaller and the larger group's name."""
    spans = []
    for name, members in groups.items():
        sizes = [counts[k] for k in members if counts[k] > 0]
        if sizes:
            spans.append((min(sizes), max(sizes), str(name)))
    spans.sort()
    return [
        Border(math.sqrt(small[1] * large[0]), small[2], large[2])
        for small, large in pairwise(spans)
        if small[1] < large[0]
    ]
