"""The first part of the page: the survey's table, and our numbers beside the published ones."""

from html import escape

from lt_lightning.report.cell import Grid
from lt_lightning.report.page.table import Column, badges, number, ranked, table
from lt_lightning.report.published import all_beside, departures, misprints
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
    rows, used = [], []
    for (method, data), cell in grid.cells.items():
        summary = cell.summary()
        for row, value in all_beside(cell) if summary else []:
            assert summary is not None
            used.append(row)
            other = "; ".join(departures(cell, row)) or "nothing known"
            rows.append(
                [
                    escape(method) + badges(cell.notes),
                    escape(grid.data_labels[data]),
                    number(summary.mean, summary.sd),
                    f"{value:.2f}",
                    f"{summary.mean - value:+.2f}",
                    escape(other),
                    f"{escape(row.title)} <span class='sd'>({escape(row.evidence)})</span>",
                    escape(row.caveats),
                ]
            )
    if not rows:
        return ""
    columns = [
        Column("method", text=True), Column("data", text=True), Column("ours"),
        Column("published"), Column("difference"), Column("made otherwise in", text=True),
        Column("source", text=True), Column("made with", text=True),
    ]  # fmt: skip
    wrong = "".join(f"<li>{escape(text)}</li>" for text in dict.fromkeys(misprints(used)))
    return (
        '<section id="published"><h2>Beside the published numbers</h2>'
        "<p>Published numbers are from other images, machines and habits: most are the best epoch "
        "on the test split. Two runs of one code differ by 0.5 to 1 point.</p>"
        f"{table(columns, rows)}{f'<ul>{wrong}</ul>' if wrong else ''}</section>"
    )
