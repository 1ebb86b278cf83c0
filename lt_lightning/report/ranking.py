"""All numbers of one data set, as the page, Markdown and LaTeX show them."""

from dataclasses import dataclass

from lt_lightning.report.cell import Cell, Grid
from lt_lightning.report.dataset import Data
from lt_lightning.report.measures import ALL, MACRO, Measure
from lt_lightning.report.statistics import Summary

_ROUNDING = 1e-6


@dataclass(frozen=True)
class Standing:
    """A number of one row, and whether it is the best or the second of its column."""

    summary: Summary | None
    best: bool
    second: bool


@dataclass(frozen=True)
class Ranking:
    """A table: its columns, and the numbers of each row."""

    measures: list[Measure]
    rows: list[tuple[Cell, list[Standing]]]


def by_accuracy(cells: list[Cell]) -> list[Cell]:
    """Return the cells that compete, the most accurate first, then the others."""

    def key(cell: Cell) -> tuple[bool, float]:
        summary = cell.summary()
        return not cell.ranked, -(summary.mean if summary else -1.0)

    return sorted(cells, key=key)


def ranking(grid: Grid, data: Data) -> Ranking:
    """Return every number that some method has, the most accurate method first."""
    cells = by_accuracy(grid.column(data))
    shown = [one for one in grid.measures(data) if any(cell.summary(one) for cell in cells)]
    if all(_alike(cell) for cell in cells):
        shown = [one for one in shown if one != MACRO]  # as many test images of each class
    podiums = {one: grid.podium(data, one) for one in shown}
    rows = []
    for cell in cells:
        standings = [
            Standing(cell.summary(one), *(cell.method in place for place in podiums[one]))
            for one in shown
        ]
        rows.append((cell, standings))
    return Ranking(shown, rows)


def _alike(cell: Cell) -> bool:
    """Return whether the mean over the classes is that over the images."""
    pairs = ((entry.metric(ALL), entry.metric(MACRO)) for entry in cell.entries)
    return all(a is None or b is None or abs(a - b) < _ROUNDING for a, b in pairs)
