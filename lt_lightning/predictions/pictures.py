"""Which pictures are meant: a folder, one file, a text list, or a CSV; one at a time, as a stream.

A million names are never held together: what is kept is one line of a list, or the names of one
folder.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from lt_lightning.data.csv_table import (
    LABEL_COLUMNS,
    PATH_COLUMNS,
    column_of,
    each_row,
    told,
)
from lt_lightning.data.files import KINDS, PassedOver, each_image_below
from lt_lightning.data.listed import is_number
from lt_lightning.errors import UserError
from lt_lightning.nearest import nearest, other_form

_TABLES = (".csv", ".tsv")


@dataclass(frozen=True)
class Picture:
    """A picture to be classified.

    Attributes:
        name: as it was given; of a folder, the path below it.
        path: of the file.
        label: its class or the number of it, in text, with the blanks around it, as the name of a
            class may have them; blank where it alone has none, none where no picture has one.
        numbered: whether the label is a number whatever the classes are called.
    """

    name: str
    path: Path
    label: str | None = None
    numbered: bool = False

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True)
class Columns:
    """The columns of a CSV; none is the first of the usual names that it has.

    Attributes:
        path: that of the files.
        label: that of the labels.
    """

    path: str | None = None
    label: str | None = None


@dataclass(frozen=True)
class Pictures:
    """A stream of pictures, which can be read once.

    Attributes:
        stream: the pictures, one at least.
        labelled: whether they have labels.
    """

    stream: Iterator[Picture]
    labelled: bool


def pictures(given: Path, columns: Columns = Columns()) -> Pictures:
    """Return the pictures of a folder at any depth, sorted; of a list, in its order; or the file.

    A text list has a path a line, or a path and the number of its class, as the first line has.
    Paths of a list or CSV start from the folder that it lies in.

    Args:
        given: a folder, a .txt, .csv or .tsv, or an image.
        columns: of a CSV.

    Raises:
        UserError: if there is no such file, it names no picture, columns are named where there are
            none, or, later, a line cannot be read.
    """
    asked = next((one for one in (columns.path, columns.label) if one is not None), None)
    if asked is not None and given.suffix.lower() not in _TABLES:
        raise UserError(f"The column {asked!r} is of a CSV, and {given} is none: leave it out.")
    found = _stream(given, columns)
    first = next(found, None)
    if first is None:
        what = "holds no image" if given.is_dir() else "names no image"
        raise UserError(f"{given} {what}: give a folder, a list or a file of {KINDS}.")
    return Pictures(itertools.chain([first], found), first.label is not None)


def label_index(picture: Picture, names: Sequence[str], place: dict[str, int]) -> int | None:
    """Return the class of a picture in label order, or none where it has no label.

    A label is a name, or the number of its class from 0 on where no class has a number for a name;
    of a text list it is that number, and refused where a class of another number has it for a name.
    Blanks around it count where they are those of a class.

    Args:
        picture: with its label.
        names: C names.
        place: of each name.

    Raises:
        UserError: if there is no such class.
    """
    if picture.label is None or not picture.label.strip():
        return None
    label = picture.label.strip()
    by_name = place.get(picture.label, place.get(label))
    found = None if picture.numbered else by_name
    as_number = picture.numbered or not any(map(is_number, names))
    if found is None and as_number and label.isascii() and label.isdecimal():
        found = int(label) if len(label) < 10 and int(label) < len(names) else None
    if picture.numbered and by_name is not None and found != by_name:
        told = "no class" if found is None else repr(names[found])
        raise UserError(
            f"The label of {picture} is {label!r}, a number from 0 on in a text list (that of "
            f"{told}), but a class has it for its name: give a CSV with the columns file and "
            "label, where it is the name."
        )
    if found is None:
        raise UserError(f"The label of {picture} is {_unknown(label, names, picture.numbered)}")
    return found


def _unknown(label: str, names: Sequence[str], numbered: bool) -> str:
    form = other_form(label, names)
    if form is not None:
        return (
            f"{label!r}, which differs from the class {form!r} of the run in its Unicode form "
            "alone: write it as the run does."
        )
    near = None if numbered else nearest(label, names)
    remedy = f"did you mean {near!r}?" if near else f"the run has {_few(names)}."
    return f"{label!r}, which is no class of the run: {remedy}"


def _few(names: Sequence[str]) -> str:
    more = ", ..." if len(names) > 3 else ""
    return f"{len(names)} classes, {', '.join(names[:3])}{more}"


def _stream(given: Path, columns: Columns) -> Iterator[Picture]:
    suffix = given.suffix.lower()
    if given.is_dir():
        passed = PassedOver()
        for file in each_image_below(given, passed):
            yield Picture(str(file.relative_to(given)), file)
        passed.warn(given)
    elif not given.exists():
        raise UserError(f"There is no {given}: give a folder, a list, a CSV, or an image.")
    elif suffix in (".txt", *_TABLES):
        yield from _listed(given, columns)
    elif suffix in (".parquet", ".json", ".jsonl", ".xlsx", ".zip", ".tar", ".gz", ".npz", ".npy"):
        raise UserError(f"{given} is no list that is read: give a .txt or a .csv, or a folder.")
    else:
        yield Picture(str(given), given)


def _listed(file: Path, columns: Columns) -> Iterator[Picture]:
    lines = _of_text if file.suffix.lower() == ".txt" else _of_csv
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            yield from lines(file, stream, columns)
    except UnicodeDecodeError as error:
        raise UserError(f"{file} is no text in UTF-8: save it as UTF-8.") from error
    except OSError as error:
        raise UserError(f"{file} cannot be read ({error.strerror}): give another list.") from error


def _of_text(file: Path, stream: TextIO, columns: Columns) -> Iterator[Picture]:
    labelled: bool | None = None
    for number, line in enumerate(stream, 1):
        text = line.strip()
        if not text:
            continue
        path, last = text.rsplit(maxsplit=1) if len(text.split(maxsplit=1)) > 1 else (text, "")
        found = last.isascii() and last.isdecimal()
        labelled = found if labelled is None else labelled  # the first line decides for all
        if labelled and not found:
            raise UserError(
                f"Line {number} of {file} has no label but the first has one: write `path label`."
            )
        found_label = last if labelled else None
        yield _picture(file, path if labelled else text, found_label, numbered=True)


def _of_csv(file: Path, stream: TextIO, columns: Columns) -> Iterator[Picture]:
    rows = each_row(file, stream, as_written=True)
    _, first = next(rows, (1, []))
    names = [name.strip() for name in first]
    path = column_of(file, names, columns.path, PATH_COLUMNS, "--path_column")
    if path is None:
        raise UserError(
            f"{file} has no column of files (it has {told(names)}): call it file, or name it by "
            "--path_column."
        )
    label = column_of(file, names, columns.label, LABEL_COLUMNS, "--label_column")
    for line, row in rows:
        where = f"Line {line} of {file}"
        if len(row) <= max(path, label or 0):
            raise UserError(f"{where} has {len(row)} of {len(names)} cells: complete the line.")
        if any(cell.strip() for cell in row[len(names) :]):
            raise UserError(
                f"{where} has {len(row)} cells but the first line names {len(names)} columns: put "
                "quotation marks around what has a separator in it."
            )
        name = row[path].strip()
        if not name:
            raise UserError(f"{where} names no file: complete the line, or remove it.")
        yield _picture(file, name, None if label is None else row[label])


def _picture(file: Path, name: str, label: str | None, numbered: bool = False) -> Picture:
    if "\0" in name:
        raise UserError(f"{file} names a file with a NUL in it, {name[:40]!r}: remove the line.")
    return Picture(name, file.parent / name, label, numbered)
