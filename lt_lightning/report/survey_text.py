"""The survey's table as Markdown and LaTeX, and all cells as CSV."""

import csv
import io

from lt_lightning.report.cell import Grid
from lt_lightning.report.entry import METRICS
from lt_lightning.report.published import beside, departures
from lt_lightning.report.statistics import summarise
from lt_lightning.report.survey import (
    Place,
    Survey,
    caption,
    number_text,
    published_text,
    survey,
    widths,
)

_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "±": r"$\pm$", "<": r"$<$", ">": r"$>$", "|": r"$|$",
}  # fmt: skip


def markdown(grid: Grid) -> str:
    """Return the table in Markdown, notes and sources below it."""
    table = survey(grid)
    heads = [f"{_md(name)} {ratio}" for name, ratio in table.columns]
    lines = [f"{caption(table)}", "", "| method | " + " | ".join(heads) + " |"]
    lines.append("|---" + "|---:" * len(heads) + "|")
    for method, places in table.rows:
        cells = [_md_place(place, table.seeds) for place in places]
        lines.append(f"| {_md(method)} | " + " | ".join(cells) + " |")
    if table.notes:
        lines += ["", *(f"<sup>{k + 1}</sup> {_md(t)}  " for k, t in enumerate(table.notes))]
    if table.sources:
        lines += ["", "Published:", "", *(f"- {_md(text)}" for text in table.sources)]
    return "\n".join(lines)


def _md_place(place: Place, seeds: int) -> str:
    text = number_text(place, seeds)
    if place.best:
        text = f"**{text}**"
    elif place.second:
        text = f"<u>{text}</u>"
    marks = ",".join(map(str, place.notes))
    text += f"<sup>{marks}</sup>" if marks else ""
    return f"{text} {published_text(place)}".rstrip()


def _md(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


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
    lines += [rf"\par {_tex(text)}" for text in table.sources]
    return "\n".join(lines)


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
    text = _tex(number_text(place, seeds))
    if place.best:
        text = rf"\textbf{{{text}}}"
    elif place.second:
        text = rf"\underline{{{text}}}"
    marks = ",".join(map(str, place.notes))
    text += f"$^{{{marks}}}$" if marks else ""
    beside_it = _tex(published_text(place))
    return rf"{text} {{\scriptsize {beside_it}}}" if beside_it else text


def _tex(text: str) -> str:
    return "".join(_LATEX.get(letter, letter) for letter in text)


def comma_separated(grid: Grid) -> str:
    """Return all cells, one a line: every metric, the published number, cost and notes."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    numbers = [f"{name}_{part}" for name in METRICS for part in ("mean", "sd")]
    writer.writerow(
        ["method", "data", "ratio", "seeds", *numbers, "minutes", "parameters", "published",
         "difference", "source", "caveats", "not_as_published", "notes"]
    )  # fmt: skip
    for (method, data), cell in grid.cells.items():
        found, overall = beside(cell), cell.summary()
        values: list[object] = []
        for name in METRICS:
            summary = cell.summary(name)
            values += [_plain(summary.mean), _plain(summary.sd)] if summary else ["", ""]
        minutes = summarise([e.minutes for e in cell.entries if e.minutes is not None])
        values += [_plain(minutes.mean) if minutes else "", cell.first.parameters]
        if found is None:
            values += ["", "", "", "", ""]
        else:
            row, value = found
            difference = None if overall is None else overall.mean - value
            values += [value, _plain(difference), row.title, row.caveats]
            values += ["; ".join(departures(cell, row))]
        values.append("; ".join(cell.notes))
        writer.writerow([method, data.name, f"{data.ratio:g}", len(cell.entries), *values])
    return stream.getvalue().rstrip("\n")


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
