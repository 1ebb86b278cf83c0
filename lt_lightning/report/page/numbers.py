"""The tables of one data set: all metrics, and the differences from the baseline."""

from html import escape

from lt_lightning.report.cell import Cell, Grid
from lt_lightning.report.dataset import Data
from lt_lightning.report.page.table import Column, badges, number, ranked, table
from lt_lightning.report.ranking import by_accuracy, ranking
from lt_lightning.report.statistics import Difference, summarise

TAKEN_OVER = (
    "Minutes after a plus are those of the last stage alone, which began with the weights of "
    "another run."
)
_HALF = 60  # half the width of the small picture of an interval


def all_numbers(grid: Grid, data: Data) -> str:
    """Return every metric of every method, with the cost."""
    found = ranking(grid, data)
    columns = [Column("method", text=True), Column("seeds")]
    columns += [Column(f"{one.heading} %") for one in found.measures]
    columns += [Column("minutes"), Column("parameters")]
    rows = []
    for cell, standings in found.rows:
        row = [escape(cell.method) + badges(cell.notes), str(len(cell.entries))]
        for one in standings:
            mean, sd = (one.summary.mean, one.summary.sd) if one.summary else (None, None)
            row.append(ranked(number(mean, sd), one.best, one.second))
        minutes = summarise([e.minutes for e in cell.entries if e.minutes is not None])
        first = "+ " if minutes and cell.first.took_over else ""
        row.append(first + number(minutes.mean if minutes else None, None, 1))
        parameters = cell.first.parameters
        row.append(_millions(parameters) if parameters else number(None, None))
        rows.append(row)
    text = ""
    if any(cell.first.took_over for cell, _ in found.rows):
        text = f"<p>{TAKEN_OVER}</p>"
    return f"<h3>All numbers</h3>{text}{table(columns, rows)}"


def _millions(parameters: int) -> str:
    return f"{parameters / 1e6:.3g} M"


def differences(grid: Grid, data: Data) -> str:
    """Return the paired differences from the baseline, or nothing where there is no other."""
    found: list[tuple[Cell, Cell, Difference]] = []
    for cell in by_accuracy(grid.column(data)):
        baseline = grid.baseline_of(cell)
        difference = cell.minus(baseline) if baseline not in (None, cell) else None
        if baseline is not None and difference is not None:
            found.append((cell, baseline, difference))
    if not found:
        return ""
    ends = (abs(v) for _, _, d in found for v in (d.mean, d.low, d.high) if v is not None)
    reach = max(ends) or 1.0
    rows = [
        [
            escape(cell.method) + badges(cell.notes),
            escape(baseline.method),
            str(difference.n),
            f"{difference.mean:+.2f}",
            _interval(difference),
            _verdict(difference),
            _picture(difference, reach),
        ]
        for cell, baseline, difference in found
    ]
    columns = [
        Column("method", text=True), Column("less", text=True), Column("pairs"),
        Column("difference"), Column("95 % interval"), Column("verdict", text=True),
        Column("picture"),
    ]  # fmt: skip
    return (
        "<h3>Differences from the baseline</h3>"
        "<p>In points of accuracy, paired by training seed and training images; Student's interval "
        "of the mean, which needs two pairs. One method in twenty is clear of 0 by chance. The "
        "baseline is cross-entropy, that of the nearest recipe where there are several.</p>"
        f"{table(columns, rows)}"
    )


def _interval(difference: Difference) -> str:
    if difference.low is None or difference.high is None:
        return "one pair"
    return f"{difference.low:+.2f} to {difference.high:+.2f}"


def _verdict(difference: Difference) -> str:
    if not difference.clear:
        return "not clear of 0" if difference.n > 1 else ""
    return "better" if difference.mean > 0 else "worse"


def _picture(difference: Difference, reach: float) -> str:
    """Return the interval as a line around 0."""

    def place(value: float) -> float:
        return _HALF + value / reach * (_HALF - 6)

    parts = [f'<path class="axis" d="M{_HALF} 0V16"/>']
    if difference.low is not None and difference.high is not None:
        left, right = place(difference.low), place(difference.high)
        parts.append(f'<path class="line" d="M{left:.1f} 8H{right:.1f}"/>')
    kind = "dot" if difference.clear else "dot open"
    parts.append(f'<circle class="{kind}" cx="{place(difference.mean):.1f}" cy="8" r="4"/>')
    return f'<svg class="interval s1" viewBox="0 0 {2 * _HALF} 16">{"".join(parts)}</svg>'
