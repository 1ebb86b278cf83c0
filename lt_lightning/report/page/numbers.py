"""The tables of one data set: all metrics, and the differences from the baseline."""

from lt_lightning.report.cell import Cell, Grid
from lt_lightning.report.dataset import Data
from lt_lightning.report.networks import sizes
from lt_lightning.report.page.table import Column, Item, Table, ranked
from lt_lightning.report.ranking import Ranking, by_accuracy
from lt_lightning.report.sizes import millions
from lt_lightning.report.statistics import Difference, summarise


def all_numbers(found: Ranking) -> Table:
    """Return every metric of every method, with the cost."""
    columns = [Column("method", text=True), Column("seeds")]
    columns += [Column(f"{one.heading} %") for one in found.measures]
    costs = sizes([cell for cell, _ in found.rows])
    columns += [Column("minutes"), *map(Column, costs)]
    rows = []
    for cell, standings in found.rows:
        count = len(cell.entries)
        numbers = [ranked(one.summary, one.best, one.second, count) for one in standings]
        size = [Item(millions(of(cell.first)) or None) for of in costs.values()]
        rows.append([_name(cell), Item(str(count)), *numbers, _minutes(cell), *size])
    return Table(columns, rows)


def _name(cell: Cell) -> Item:
    return Item(cell.method, badges=cell.notes)


def _minutes(cell: Cell) -> Item:
    minutes = summarise([e.minutes for e in cell.entries if e.minutes is not None])
    if minutes is None:
        return Item()
    return Item(f"{'+ ' if cell.first.took_over else ''}{minutes.mean:.1f}")


def differences(grid: Grid, data: Data) -> Table | None:
    """Return the paired differences from the baseline, or none where there is no other."""
    found: list[tuple[Cell, Cell, Difference]] = []
    for cell in by_accuracy(grid.column(data)):
        baseline = grid.baseline_of(cell)
        difference = cell.minus(baseline) if baseline not in (None, cell) else None
        if baseline is not None and difference is not None:
            found.append((cell, baseline, difference))
    if not found:
        return None
    ends = (abs(v) for _, _, d in found for v in (d.mean, d.low, d.high) if v is not None)
    reach = max(ends) or 1.0
    rows = [
        [
            _name(cell),
            Item(baseline.method),
            Item(str(difference.n)),
            Item(f"{difference.mean:+.2f}"),
            Item(_interval(difference)),
            Item(_verdict(difference)),
            Item(interval=(difference, reach)),
        ]
        for cell, baseline, difference in found
    ]
    columns = [
        Column("method", text=True), Column("less", text=True), Column("pairs"),
        Column("difference"), Column("95 % interval"), Column("verdict", text=True),
        Column("picture"),
    ]  # fmt: skip
    return Table(columns, rows)


def _interval(difference: Difference) -> str:
    if difference.low is None or difference.high is None:
        return "one pair"
    return f"{difference.low:+.2f} to {difference.high:+.2f}"


def _verdict(difference: Difference) -> str:
    if not difference.clear:
        return "not clear of 0" if difference.n > 1 else ""
    return "better" if difference.mean > 0 else "worse"
