"""A table of text: its separator, its columns by name, and its rows with their lines."""

import csv
import io
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from lt_lightning.data.listed import text_of
from lt_lightning.errors import UserError, printable
from lt_lightning.nearest import nearest

SEPARATORS = (",", ";", "\t", "|")
PATH_COLUMNS = ("file", "path", "image", "file_name", "filename", "image_path")
LABEL_COLUMNS = ("label", "class", "class_name", "target")
_HEADER = 100_000  # letters of it that tell the separator
_EXCELS = re.compile(r'"?sep=([^"\r\n\0])"?[\r\n]*', re.IGNORECASE)
_SHOWN = 200  # letters of a header that a message shows


@dataclass(frozen=True)
class Table:
    """Cells of text.

    Attributes:
        file: that they were read from.
        columns: names of the columns.
        rows: the number of its first line and the cells of each row, as many as there are columns.
    """

    file: Path
    columns: list[str]
    rows: list[tuple[int, list[str]]]

    def column(self, asked: str | None, usual: Sequence[str], option: str) -> int | None:
        """Return the place of a column, or none; see `column_of`."""
        return column_of(self.file, self.columns, asked, usual, option)

    def told(self) -> str:
        """Return the names of the columns for a message."""
        return told(self.columns)


def column_of(
    file: Path, columns: Sequence[str], asked: str | None, usual: Sequence[str], option: str
) -> int | None:
    """Return the place of a column, or none where none is asked for and no usual one is there.

    Args:
        file: that has the columns.
        columns: their names.
        asked: its name; none takes the first of `usual` that there is, in any case.
        usual: names of such columns.
        option: that gives the name, for messages.

    Raises:
        UserError: if it is asked for and not there, or there are two of the name.
    """
    names = [name.lower() for name in columns] if asked is None else list(columns)
    wanted = [asked] if asked is not None else [name for name in usual if name in names]
    if asked is not None and asked not in names:
        near = nearest(asked, columns)
        remedy = f"did you mean {near!r}?" if near else f"it has {told(columns)}."
        raise UserError(f"{file} has no column {asked!r} ({option}): {remedy}")
    if not wanted:
        return None
    if names.count(wanted[0]) > 1:
        raise UserError(
            f"{file} has {names.count(wanted[0])} columns {wanted[0]!r}: rename all but one."
        )
    return names.index(wanted[0])


def told(columns: Sequence[str]) -> str:
    """Return the names of columns for a message."""
    return printable(", ".join(columns)[:_SHOWN]) or "none"


def separator_of(given: str | None) -> str | None:
    r"""Return a separator as it is meant: `\t` and `tab` are the tab.

    Raises:
        UserError: if it is not one character that can be a separator.
    """
    if given in ("\\t", "tab"):
        return "\t"
    if given is not None and (len(given) != 1 or given in '"\r\n\0'):
        raise UserError(f"separator is {given!r}: give one character, such as ';' or tab.")
    return given


def read_table(file: Path, separator: str | None) -> Table:
    """Return the table in a file.

    Args:
        file: CSV in UTF-8, with or without a mark of byte order; the first line names the columns.
        separator: between cells; none takes the one of , ; tab | that gives the most columns.

    Raises:
        UserError: if it is no such table; the line is named.
    """
    rows = list(each_row(file, io.StringIO(text_of(file), newline=""), separator))
    if len(rows) < 2:
        raise UserError(f"{file} has no rows below a line of column names: give a table of images.")
    columns = rows[0][1]
    for line, cells in rows[1:]:
        if len(cells) != len(columns):
            raise UserError(
                f"Line {line} of {file} has {len(cells)} cells but the first line names "
                f"{len(columns)} columns: mend the line, or give --data.source.separator."
            )
    return Table(file, columns, rows[1:])


def each_row(
    file: Path, stream: TextIO, separator: str | None = None, as_written: bool = False
) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of its first line and the cells of each row that has any, also the first.

    Args:
        file: that the text is of, for messages.
        stream: the text, opened with `newline=""`; no more of it is held than a row.
        separator: between cells; none takes that of a first line sep=;, as Excel writes it, or else
            the one of , ; tab | that gives the most columns.
        as_written: whether cells keep the blanks around them, as the name of a folder may.

    Raises:
        UserError: if a row is no row of a CSV, as where a quotation mark is not closed.
    """
    filled = ((number, line) for number, line in enumerate(stream) if line.strip())
    before, first = next(filled, (0, ""))
    excels = _EXCELS.fullmatch(first)
    if excels:
        separator = separator or excels[1]
        before, first = next(filled, (0, ""))
    separator = separator or separator_in(first)
    lines = csv.reader(itertools.chain([first], stream), delimiter=separator, strict=True)
    start = before + 1
    try:
        for cells in lines:
            if any(cell.strip() for cell in cells):
                yield start, cells if as_written else [cell.strip() for cell in cells]
            start = before + lines.line_num + 1
    except csv.Error as error:
        raise UserError(
            f"Line {start} of {file} is no line of a CSV ({error}): mend its quotation marks."
        ) from error


def separator_in(header: str) -> str:
    """Return the separator that gives a first line the most columns."""
    return max(SEPARATORS, key=lambda one: _columns(header[:_HEADER], one))


def _columns(header: str, separator: str) -> int:
    return len(next(csv.reader([header], delimiter=separator), []))
