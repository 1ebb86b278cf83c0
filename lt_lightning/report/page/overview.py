"""The first part of the page: the survey's table, and our numbers beside the published ones."""

from collections.abc import Sequence
from html import escape

from lt_lightning.report.cell import Cell, Grid
from lt_lightning.report.page.table import Column, badges, number, ranked, table
from lt_lightning.report.published import Published, all_beside, departures, misprints
from lt_lightning.report.statistics import Summary
from lt_lightning.report.survey import Place, Survey, caption, survey, widths


def overview(grid: Grid) -> str:
    """Return the table of all methods and data sets."""
    found = survey(grid)
    columns = [Column("method", text=True)]
    columns += [
        Column(f"{name}, ratio {ratio}".replace(", ratio -", ""), short=ratio)
        for name, ratio in found.columns
    ]
    rows = []
    for method, places in found.rows:
        known = [cell for (name, _), cell in grid.cells.items() if name == method]
        marks = list(dict.fromkeys(note for cell in known for note in cell.notes))
        title = escape(method) + badges(marks)
        rows.append([title, *(_place(place, found) for place in places)])
    notes = "".join(f"<li>{escape(text)}</li>" for text in found.notes)
    listed = f'<ol class="notes">{notes}</ol>' if notes else ""
    return (
        f'<section id="overview"><h2>All methods</h2><p>{escape(caption(found, "below it"))}</p>'
        f"{table(columns, rows, _head(found))}{listed}</section>"
    )


def _head(found: Survey) -> str:
    cells = "".join(
        f'<th scope="colgroup" colspan="{width}">{escape(name)}</th>'
        for name, width in widths(found.columns)
    )
    return f'<tr class="heads"><th></th>{cells}</tr>'


def _place(place: Place, found: Survey) -> str:
    if place.summary is None:
        return number(None, None)
    text = number(place.summary.mean, place.summary.sd)
    text = ranked(text, place.best, place.second)
    if place.summary.n != found.seeds:
        text += f' <span class="sd">n={place.summary.n}</span>'
    if place.notes:
        text += f"<sup>{','.join(map(str, place.notes))}</sup>"
    if place.published is not None and place.difference is not None:
        text += (
            f'<br><span class="published" title="published value, and ours less it">'
            f"{place.published:.2f}, {place.difference:+.2f}</span>"
        )
    return text


def beside_published(grid: Grid) -> str:
    """Return our numbers beside every published one, or nothing where there is none."""
    parts, used = [], []
    for (_, data), cell in grid.cells.items():
        summary, rows = cell.summary(), all_beside(cell)
        if summary is not None and rows:
            used += [row for row, _ in rows]
            parts.append(_sources(cell, grid.data_labels[data], summary, rows))
    if not parts:
        return ""
    wrong = "".join(f"<li>{escape(text)}</li>" for text in dict.fromkeys(misprints(used)))
    listed = f"<h3>Misprints set right</h3><ul>{wrong}</ul>" if wrong else ""
    return (
        '<section id="published"><h2>Beside the published numbers</h2>'
        "<p>Published numbers are from other images, machines and habits: most are the best epoch "
        "on the test split. Two runs of one code differ by 0.5 to 1 point.</p>"
        f"{''.join(parts)}{listed}</section>"
    )


def _sources(
    cell: Cell, data: str, summary: Summary, rows: Sequence[tuple[Published, float]]
) -> str:
    """Return one cell and all that is published of its method, folded."""
    first, value = rows[0]
    columns = [
        Column("published as", text=True), Column("accuracy %"), Column("difference"),
        Column("where", text=True), Column("made with", text=True),
    ]  # fmt: skip
    lines = [
        [
            escape(row.method),
            f"{number:.2f}",
            f"{summary.mean - number:+.2f}",
            f"{escape(row.title)} <span class='sd'>({escape(row.evidence)})</span>",
            escape(row.caveats),
        ]
        for row, number in rows
    ]
    other = "; ".join(departures(cell, first))
    return (
        f"<details><summary>{escape(cell.title)}, {escape(data)}: {summary.mean:.2f}, published "
        f"{value:.2f} ({summary.mean - value:+.2f})</summary>"
        + (f"<p>Not as published: {escape(other)}.</p>" if other else "")
        + f"{table(columns, lines)}</details>"
    )
