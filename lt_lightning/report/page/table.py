"""Tables of the page, before they are drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

from lt_lightning.report.statistics import Difference, Summary


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


@dataclass(frozen=True)
class Item:
    """What stands in one place of a table.

    Attributes:
        text: the number or the words; none is a dash.
        soft: what follows in grey, such as the spread.
        mark: "best", "second" or nothing.
        more: what follows the mark, in grey.
        notes: the numbers of notes.
        below: a second line, of a published number.
        badges: what a reader must know, as small labels.
        interval: a small picture instead, and the largest value that it must show.
    """

    text: str | None = None
    soft: str = ""
    mark: str = ""
    more: str = ""
    notes: Sequence[int] = ()
    below: str = ""
    badges: Sequence[str] = ()
    interval: tuple[Difference, float] | None = None


@dataclass(frozen=True)
class Table:
    """A table; the first column names the row.

    Attributes:
        columns: its columns.
        rows: as many items as columns; an empty one is left out on a narrow screen.
        heads: headings above those of the columns, each with the columns below it.
    """

    columns: list[Column]
    rows: list[list[Item]]
    heads: Sequence[tuple[str, int]] = ()


def told(value: object) -> Item:
    """Return a value as text, a dash for none."""
    return Item(None if value is None else str(value))


def fixed(value: float | None, digits: int = 2) -> Item:
    """Return a number, a dash for none."""
    return Item(None if value is None else f"{value:.{digits}f}")


def ranked(found: Summary | None, best: bool, second: bool, seeds: int | None = None) -> Item:
    """Return "42.10 ± 0.31", marked where it is the best or the second.

    Args:
        found: the number.
        best: whether it is the best of its column.
        second: whether it is the second.
        seeds: of the row; where not all of them have the number, its own are told.
    """
    if found is None:
        return Item()
    spread = [] if found.sd is None else [f"± {found.sd:.2f}"]
    soft = ", ".join(spread + ([f"n={found.n}"] if seeds not in (None, found.n) else []))
    mark = "best" if best else "second" if second else ""
    return Item(f"{found.mean:.2f}", soft, mark)
