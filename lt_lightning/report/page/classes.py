"""The classes of each drawn method as tables of the page."""

from collections.abc import Sequence
from dataclasses import dataclass

from lt_lightning.report.cell import Cell
from lt_lightning.report.classes import HEADINGS, ClassRow, class_rows
from lt_lightning.report.page.table import Column, Item, Table

_ALL = 100  # more rows than this are not read
_LOWEST = 50


@dataclass(frozen=True)
class Classes:
    """The classes of one method.

    Attributes:
        heading: the method, and what is shown of it.
        table: one row for each class that is shown.
    """

    heading: str
    table: Table


def class_tables(cells: Sequence[Cell]) -> list[Classes]:
    """Return one table for each method: all classes up to 100, else the 50 of the lowest recall."""
    return [_classes(cell) for cell in cells]


def _classes(cell: Cell) -> Classes:
    rows = class_rows([entry.evaluation for entry in cell.entries])
    shown = rows if len(rows) <= _ALL else sorted(rows, key=_recall)[:_LOWEST]
    what = f"{len(rows):,} classes"
    if len(shown) < len(rows):
        what = f"the {len(shown)} of {what} with the lowest recall"
    columns = [Column("class", text=True), Column("group", text=True), *map(Column, HEADINGS)]
    items = [
        [Item(row.name), Item(row.group), *(Item(None if n == "-" else n) for n in row.numbers)]
        for row in shown
    ]
    return Classes(f"{cell.title}: {what}", Table(columns, items))


def _recall(row: ClassRow) -> tuple[bool, float]:
    recall = row.shares[0]
    return recall is None, recall or 0.0
