"""What classes of each size get: accuracy and length of their weights."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from lt_lightning.report.cell import Cell
from lt_lightning.report.figures.series import Point, Series

_BINS = 12  # more classes than this are averaged over neighbours in size

PerClass = list[float | None]


def by_size(
    cells: Sequence[tuple[int, Cell]], values: Callable[[Cell], PerClass | None], unit: str
) -> list[Series]:
    """Return the values over the training images of the classes.

    Up to 12 classes stand for themselves, more are averaged in 12 bins of as many classes each.
    Classes without training images or without a value are left out.

    Args:
        cells: each with its style.
        values: gives one value for each class, or none where the cell has none at all.
        unit: follows the number in a point's text.
    """
    found = []
    for style, cell in cells:
        per_class = values(cell)
        if per_class is None:
            continue
        names = cell.first.run.content["data"]["class_names"]
        counts = cell.first.run.content["data"]["class_counts"]
        usable = [
            (count, value, str(name))
            for count, value, name in zip(counts, per_class, names, strict=True)
            if value is not None and count > 0
        ]
        usable.sort(key=lambda item: item[0])
        points = [_point(cell.method, part, unit) for part in _parts(usable)]
        if points:
            found.append(Series(cell.title, style, points))
    return found


def _parts(usable: list[tuple[int, float, str]]) -> list[list[tuple[int, float, str]]]:
    """Return the classes in order of size, in at most 12 parts of the same length."""
    count = min(_BINS, len(usable))
    edges = [round(k * len(usable) / count) for k in range(count + 1)] if count else []
    return [usable[a:b] for a, b in pairwise(edges)]


def _point(method: str, part: list[tuple[int, float, str]], unit: str) -> Point:
    size = math.exp(math.fsum(math.log(count) for count, _, _ in part) / len(part))
    mean = math.fsum(value for _, value, _ in part) / len(part)
    what = part[0][2] if len(part) == 1 else f"{len(part)} classes"
    images = f"{part[0][0]}" if len(part) == 1 else f"{part[0][0]} to {part[-1][0]}"
    return Point(size, mean, text=f"{method}: {what}, {images} images, {mean:.3g}{unit}")


def accuracies(cell: Cell) -> PerClass:
    """Return the mean accuracy of each class over the seeds, in percent."""
    rows = [entry.evaluation["classes"] for entry in cell.entries]
    return [_mean([row["accuracy"] for row in found], 100) for found in zip(*rows, strict=True)]


def relative_norms(cell: Cell) -> PerClass | None:
    """Return the length of each class's weights over the mean of all, mean over the seeds."""
    found = []
    for entry in cell.entries:
        norms = entry.evaluation.get("weight_norms")
        mean = math.fsum(norms) / len(norms) if norms else 0.0
        if norms and mean > 0:
            found.append([norm / mean for norm in norms])
    return [_mean(list(norms), 1) for norms in zip(*found, strict=True)] if found else None


def _mean(values: list[float | None], factor: float) -> float | None:
    known = [value for value in values if value is not None]
    return factor * math.fsum(known) / len(known) if known else None


def borders(cell: Cell) -> list[tuple[float, str, str]]:
    """Return the sizes between two groups, with the smaller and the larger group's name."""
    facts = cell.first.run.content["data"]
    counts = facts["class_counts"]
    spans = []
    for name, members in facts["groups"].items():
        sizes = [counts[k] for k in members if counts[k] > 0]
        if sizes:
            spans.append((min(sizes), max(sizes), str(name)))
    spans.sort()
    return [
        (math.sqrt(small[1] * large[0]), small[2], large[2])
        for small, large in pairwise(spans)
        if small[1] < large[0]
    ]
