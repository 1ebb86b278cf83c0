"""Tables in HTML; on a narrow screen each row becomes a block, so that nothing is cut off."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        name: its heading.
        text: whether it holds text, which is set to the left.
        short: the heading below one of the row above, where there is one.
    """

    name: str
    text: bool = False
    short: str = ""


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], head: str = "") -> str:
    """Return a table.

    Args:
        columns: the first one names the row.
        rows: cells in HTML, as many as columns; an empty one is left out on a narrow screen.
        head: a row above the headings, in HTML.
    """
    names = "".join(
        f'<th scope="col"{_kind(column)}>{escape(column.short or column.name)}</th>'
        for column in columns
    )
    body = "".join(_row(columns, row) for row in rows)
    return (
        f'<div class="wide"><table><thead>{head}<tr>{names}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _row(columns: Sequence[Column], row: Sequence[str]) -> str:
    first, *others = zip(columns, row, strict=True)
    cells = [f'<th scope="row"{_kind(first[0])}>{first[1]}</th>']
    cells += [
        f'<td{_kind(column)} data-name="{escape(column.name)}"><span>{cell}</span></td>'
        for column, cell in others
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _kind(column: Column) -> str:
    return ' class="text"' if column.text else ""


def number(mean: float | None, sd: float | None, digits: int = 2) -> str:
    """Return "42.10 ± 0.31", or a dash."""
    if mean is None:
        return '<span class="none">-</span>'
    text = f"{mean:.{digits}f}"
    return text if sd is None else f'{text} <span class="sd">± {sd:.{digits}f}</span>'


def ranked(text: str, best: bool, second: bool) -> str:
    """Return a number, marked where it is the best or the second."""
    if best:
        return f'<b title="best">{text}</b>'
    return f'<u title="second">{text}</u>' if second else text


def badges(notes: Sequence[str]) -> str:
    """Return what a reader must know, as small labels."""
    return "".join(f' <span class="badge">{escape(note)}</span>' for note in notes)
