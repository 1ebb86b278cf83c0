"""The survey's table as Markdown and LaTeX, and all cells as CSV."""

import csv
import io
import re

from lt_lightning.errors import printable
from lt_lightning.report.cell import Cell, Grid
from lt_lightning.report.dataset import Data
from lt_lightning.report.networks import size_note, sizes
from lt_lightning.report.published import beside, departures
from lt_lightning.report.ranking import Standing, ranking
from lt_lightning.report.sizes import millions
from lt_lightning.report.statistics import summarise
from lt_lightning.report.survey import (
    Place,
    Survey,
    caption,
    number_text,
    published_text,
    survey,
    told_left_out,
    widths,
)

# What Markdown would not show as it is; an underscore inside a word is no mark.
_MARKS = re.compile(r"[\\|`*\[\]>~]|(?<![^\W_])_|_(?![^\W_])")
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "±": r"$\pm$", "<": r"$<$", ">": r"$>$", "|": r"$|$",
}  # fmt: skip


def markdown(grid: Grid) -> str:
    """Return the table in Markdown, notes and sources below it, then all numbers of the data."""
    table = survey(grid)
    heads = [f"{_md(name)} {ratio}" for name, ratio in table.columns]
    lines = [f"{caption(table)}", "", "| method | " + " | ".join(heads) + " |"]
    lines.append("|---" + "|---:" * len(heads) + "|")
    for method, places in table.rows:
        cells = [_md_place(place, table.seeds) for place in places]
        lines.append(f"| {_md(method)} | " + " | ".join(cells) + " |")
    if table.notes:
        lines += ["", *(f"<sup>{k + 1}</sup> {_md(t)}  " for k, t in enumerate(table.notes))]
    lines += ["", _md(told_left_out(grid))] if grid.left_out else []
    if table.sources:
        lines += ["", "Published:", "", *(f"- {_md(text)}" for text in table.sources)]
    for data in grid.data_labels:
        lines += ["", *_md_numbers(grid, data)]
    return "\n".join(lines)


def _md_numbers(grid: Grid, data: Data) -> list[str]:
    """Return every number of one data set, with those of the groups."""
    found = ranking(grid, data)
    costs = sizes([cell for cell, _ in found.rows])
    heads = ["seeds", *(f"{_md(one.heading)} %" for one in found.measures), *costs]
    lines = [f"{_md(grid.data_labels[data])}:", "", f"| method | {' | '.join(heads)} |"]
    lines.append("|---" + "|---:" * len(heads) + "|")
    for cell, standings in found.rows:
        numbers = [_md_marked(_number(one, cell), one) for one in standings]
        numbers += [millions(size(cell.first)) or "-" for size in costs.values()]
        lines.append(" | ".join([f"| {_md(cell.method)}", str(len(cell.entries)), *numbers]) + " |")
    note = size_note(cell for cell, _ in found.rows)
    return [*lines, "", _md(note)] if note else lines


def _number(standing: Standing, cell: Cell) -> str:
    """Return "42.10 ± 0.31", or "-"; with n where not all seeds of the row have it."""
    return number_text(Place(standing.summary), len(cell.entries))


def _md_marked(text: str, standing: Place | Standing) -> str:
    if standing.best:
        return f"**{text}**"
    return f"<u>{text}</u>" if standing.second else text


def _md_place(place: Place, seeds: int) -> str:
    text = _md_marked(number_text(place, seeds), place)
    marks = ",".join(map(str, place.notes))
    text += f"<sup>{marks}</sup>" if marks else ""
    return f"{text} {published_text(place)}".rstrip()


def _md(text: str) -> str:
    """Return a text in which nothing is a mark of Markdown or HTML."""
    text = printable(text).replace("&", "&amp;").replace("<", "&lt;")
    return _MARKS.sub(r"\\\g<0>", text)


def latex(grid: Grid) -> str:
    """Return the table for LaTeX with the package booktabs."""
    table = survey(grid)
    columns = len(table.columns)
    lines = [
        r"% \usepackage{booktabs}",
        rf"\begin{{tabular}}{{l{'c' * columns}}}",
        r"\toprule",
        *_latex_heads(table),
        r"\midrule",
    ]
    for method, places in table.rows:
        cells = [_latex_place(place, table.seeds) for place in places]
        lines.append(" & ".join([_tex(method), *cells]) + r" \\")
    lines += [r"\bottomrule", r"\end{tabular}", "", rf"\par\footnotesize {_tex(caption(table))}"]
    lines += [rf"\par $^{{{k + 1}}}$ {_tex(text)}." for k, text in enumerate(table.notes)]
    lines += [rf"\par {_tex(told_left_out(grid))}"] if grid.left_out else []
    lines += [rf"\par {_tex(text)}" for text in table.sources]
    for data in grid.data_labels:
        lines += ["", *_latex_numbers(grid, data)]
    return "\n".join(lines)


def _latex_numbers(grid: Grid, data: Data) -> list[str]:
    found = ranking(grid, data)
    costs = sizes([cell for cell, _ in found.rows])
    heads = ["seeds", *(rf"{_tex(one.heading)} \%" for one in found.measures), *map(_tex, costs)]
    lines = [
        rf"\par {_tex(grid.data_labels[data])}:",
        "",
        rf"\begin{{tabular}}{{l{'c' * len(heads)}}}",
        r"\toprule",
        " & ".join(["method", *heads]) + r" \\",
        r"\midrule",
    ]
    for cell, standings in found.rows:
        numbers = [_latex_marked(_tex(_number(one, cell)), one) for one in standings]
        numbers += [_tex(millions(size(cell.first)) or "-") for size in costs.values()]
        lines.append(" & ".join([_tex(cell.method), str(len(cell.entries)), *numbers]) + r" \\")
    lines += [r"\bottomrule", r"\end{tabular}"]
    note = size_note(cell for cell, _ in found.rows)
    return [*lines, "", rf"\par {_tex(note)}"] if note else lines


def _latex_marked(text: str, standing: Place | Standing) -> str:
    if standing.best:
        return rf"\textbf{{{text}}}"
    return rf"\underline{{{text}}}" if standing.second else text


def _latex_heads(table: Survey) -> list[str]:
    heads, rules, start = [], [], 2
    for name, width in widths(table.columns):
        heads.append(rf"\multicolumn{{{width}}}{{c}}{{{_tex(name)}}}")
        rules.append(rf"\cmidrule(lr){{{start}-{start + width - 1}}}")
        start += width
    ratios = [_tex(ratio) for _, ratio in table.columns]
    return [
        " & ".join(["data", *heads]) + r" \\",
        "".join(rules),
        " & ".join(["imbalance ratio", *ratios]) + r" \\",
    ]


def _latex_place(place: Place, seeds: int) -> str:
    text = _latex_marked(_tex(number_text(place, seeds)), place)
    marks = ",".join(map(str, place.notes))
    text += f"$^{{{marks}}}$" if marks else ""
    beside_it = _tex(published_text(place))
    return rf"{text} {{\scriptsize {beside_it}}}" if beside_it else text


def _tex(text: str) -> str:
    return "".join(_LATEX.get(letter, letter) for letter in printable(text))


def comma_separated(grid: Grid) -> str:
    """Return all cells, one a line: every metric, the published number, cost and notes."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    measures = grid.measures()
    numbers = [f"{one.heading}_{part}" for one in measures for part in ("mean", "sd")]
    costs = sizes(list(grid.cells.values()))
    counted = [name.replace("-", "_") for name in costs]
    writer.writerow(
        ["method", "data", "ratio", "seeds", *numbers, "minutes", "behind_another_run", *counted,
         "published", "difference", "source", "caveats", "not_as_published", "notes"]
    )  # fmt: skip
    for (method, data), cell in grid.cells.items():
        found, overall = beside(cell), cell.summary()
        values: list[object] = []
        for one in measures:
            summary = cell.summary(one)
            values += [_plain(summary.mean), _plain(summary.sd)] if summary else ["", ""]
        minutes = summarise([e.minutes for e in cell.entries if e.minutes is not None])
        values += [_plain(minutes.mean) if minutes else "", "yes" if cell.first.took_over else ""]
        values += [of(cell.first) for of in costs.values()]
        if found is None:
            values += ["", "", "", "", ""]
        else:
            row, value = found
            difference = None if overall is None else overall.mean - value
            values += [value, _plain(difference), row.title, row.caveats]
            values += ["; ".join(departures(cell, row))]
        older = [f"left out, for a newer run is the same: {folder}" for folder in cell.left_out]
        values.append("; ".join([*cell.notes, *map(printable, older)]))
        names = [printable(method), printable(data.name)]
        writer.writerow([*names, f"{data.ratio:g}", len(cell.entries), *values])
    return stream.getvalue().rstrip("\n")


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
