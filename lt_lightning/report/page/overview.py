"""The survey's table, and our numbers beside the published ones."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lt_lightning.report.cell import Cell, Grid
from lt_lightning.report.page.table import Column, Item, Table, ranked
from lt_lightning.report.published import Published, all_beside, departures, misprints
from lt_lightning.report.statistics import Summary
from lt_lightning.report.survey import Place, Survey, widths


def overview(grid: Grid, found: Survey) -> Table:
    """Return the table of all methods and data sets."""
    columns = [Column("method", text=True)]
    columns += [
        Column(f"{name}, ratio {ratio}".replace(", ratio -", ""), short=ratio)
        for name, ratio in found.columns
    ]
    rows = []
    for method, places in found.rows:
        known = [cell for (name, _), cell in grid.cells.items() if name == method]
        marks = list(dict.fromkeys(note for cell in known for note in cell.notes))
        items = [_item(place, found.seeds) for place in places]
        rows.append([Item(method, badges=marks), *items])
    return Table(columns, rows, widths(found.columns))


def _item(place: Place, seeds: int) -> Item:
    number = ranked(place.summary, place.best, place.second)
    if place.summary is None:
        return number
    below = ""
    if place.published is not None and place.difference is not None:
        below = f"{place.published:.2f}, {place.difference:+.2f}"
    more = f"n={place.summary.n}" if place.summary.n != seeds else ""
    return replace(number, more=more, notes=place.notes, below=below)


@dataclass(frozen=True)
class Source:
    """One cell and all that is published of its method."""

    heading: str
    departures: list[str]
    table: Table


@dataclass(frozen=True)
class Beside:
    """Our numbers beside every published one, and the misprints among these."""

    sources: list[Source]
    misprints: list[str]


def beside_published(grid: Grid) -> Beside:
    """Return what is published of each cell."""
    found, used = [], []
    for (_, data), cell in grid.cells.items():
        summary, rows = cell.summary(), all_beside(cell)
        if summary is not None and rows:
            used += [row for row, _ in rows]
            found.append(_source(cell, grid.data_labels[data], summary, rows))
    return Beside(found, list(dict.fromkeys(misprints(used))))


def _source(
    cell: Cell, data: str, summary: Summary, rows: Sequence[tuple[Published, float]]
) -> Source:
    first, value = rows[0]
    columns = [
        Column("published as", text=True), Column("accuracy %"), Column("difference"),
        Column("where", text=True), Column("made with", text=True),
    ]  # fmt: skip
    lines = [
        [
            Item(row.method),
            Item(f"{number:.2f}"),
            Item(f"{summary.mean - number:+.2f}"),
            Item(row.title, soft=f"({row.evidence})"),
            Item(row.caveats),
        ]
        for row, number in rows
    ]
    heading = (
        f"{cell.title}, {data}: {summary.mean:.2f}, published {value:.2f} "
        f"({summary.mean - value:+.2f})"
    )
    return Source(heading, departures(cell, first), Table(columns, lines))
