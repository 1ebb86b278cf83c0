"""What classes of each size get: accuracy and length of their weights."""

import math
from collections.abc import Callable, Sequence

from lt_lightning.figures.chart import Chart, Series
from lt_lightning.figures.class_size import borders, over_size, sized
from lt_lightning.figures.scale import around, from_zero, percent
from lt_lightning.report.cell import Cell

PerClass = list[float | None]


def accuracy_chart(cells: Sequence[tuple[int, Cell]]) -> Chart | None:
    """Return accuracy over class size."""
    title, label = "Accuracy over class size", "test accuracy (%)"
    return _chart(title, label, by_size(cells, accuracies, " %"), cells, in_percent=True)


def norm_chart(cells: Sequence[tuple[int, Cell]]) -> Chart | None:
    """Return the norms of the classifier's weights over class size."""
    title, label = "Classifier weight norms over class size", "norm / mean over the classes"
    return _chart(title, label, by_size(cells, relative_norms, ""), cells, in_percent=False)


def _chart(
    title: str,
    label: str,
    series: list[Series],
    cells: Sequence[tuple[int, Cell]],
    *,
    in_percent: bool,
) -> Chart | None:
    if not series:
        return None
    points = [point for one in series for point in one.points]
    x = around("training images of the class (log scale)", [p.x for p in points], log=True)
    y = (percent if in_percent else from_zero)(label, [point.y for point in points])
    facts = cells[0][1].first.run.content["data"]
    return Chart(title, x, y, series, borders(facts["class_counts"], facts["groups"]))


def by_size(
    cells: Sequence[tuple[int, Cell]], values: Callable[[Cell], PerClass | None], unit: str
) -> list[Series]:
    """Return the values over the training images of the classes, see `over_size`.

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
        facts = cell.first.run.content["data"]
        classes = sized(facts["class_counts"], per_class, facts["class_names"])
        points = over_size(cell.method, classes, unit)
        if points:
            found.append(Series(cell.title, style, points))
    return found


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
