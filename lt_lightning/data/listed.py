"""Rows of a list or a table that name picture files: each is checked before any picture is read."""

import os
import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lt_lightning.data.picture_files import Labelled
from lt_lightning.errors import UserError, printable
from lt_lightning.home import home
from lt_lightning.nearest import other_form

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ABSOLUTE = re.compile(r"[/\\]|[A-Za-z]:")  # also as Windows writes it
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")
_SHOWN = 80  # letters of a text that a message shows


@dataclass(frozen=True)
class Row:
    """A picture as a list or a table names it.

    Attributes:
        source: the list or table.
        line: its line there, from 1.
        path: below the root, with / between its parts, as `inside` returns it.
        label: the class as it is written.
        split: "train", "val" or "test".
        group: what it shares with others; none where that is not known.
    """

    source: Path
    line: int
    path: str
    label: str
    split: str = "train"
    group: str | None = None

    def __str__(self) -> str:
        return f"Line {self.line} of {self.source}"


def file_named(name: str, root: Path, option: str) -> Path:
    """Return a list or a table: below the root, or else as the name says.

    Args:
        name: of the file.
        root: the folder of the pictures.
        option: that gives the name, for messages.

    Raises:
        UserError: if there is none, or another one in each place.
    """
    below, here = root / name, home(name)
    if "\0" in name:
        raise UserError(f"{option} is {name!r}, which is no name of a file: give one.")
    if below.is_file() and here.is_file() and not below.samefile(here):
        raise UserError(
            f"{option} {name} is {below} or {here.absolute()}: give the whole path of the one that "
            "is meant."
        )
    found = next((file for file in (below, here) if file.is_file()), None)
    if found is None:
        raise UserError(
            f"{option} {name} is no file, neither in {root} nor from here: give the path of one."
        )
    return found


def is_number(label: str) -> bool:
    """Return whether a label is a number, such as 7, -1 or 2.5."""
    return _NUMBER.fullmatch(label) is not None


def text_of(file: Path) -> str:
    """Return the text of a list or table in UTF-8.

    Raises:
        UserError: if it cannot be read, or is no text; the line is named.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UserError(f"{file} cannot be read ({error.strerror}): give another file.") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UserError(
            f"Line {line} of {file} is no text in UTF-8 (byte {data[error.start]:#04x}): save the "
            "file as UTF-8."
        ) from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise UserError(f"Line {line} of {file} has a NUL in it: save the file as plain text.")
    return text


def lines_of(file: Path) -> list[str]:
    """Return the lines of a text in UTF-8, whatever system ended them."""
    return re.split(r"\r\n|\n|\r", text_of(file))


def inside(text: str, where: str) -> str:
    """Return a path below the root as it is written, in one spelling.

    Args:
        text: the path.
        where: the line that names it.

    Raises:
        UserError: if it is none, or leaves the root.
    """
    shown = repr(text[:_SHOWN])
    if not text:
        raise UserError(f"{where} names no file: complete it, or remove it.")
    if _CONTROL.search(text):
        raise UserError(f"{where} names a file with a control character, {shown}: rename it.")
    if _ABSOLUTE.match(text):
        raise UserError(
            f"{where} names {shown}, which does not start from the root: write paths below it."
        )
    if ".." in text and ".." in re.split(r"[/\\]", text):
        raise UserError(
            f"{where} names {shown}, which leaves the root: write paths below it, without '..'."
        )
    path = posixpath.normpath(text)
    if path == ".":
        raise UserError(f"{where} names {shown}, which is no file: complete it, or remove it.")
    return path


def check_once(rows: Sequence[Row]) -> None:
    """Refuse a picture that is named twice.

    Raises:
        UserError: with both lines, and whether the labels or the splits differ.
    """
    known: dict[str, Row] = {}
    for row in rows:
        first = known.setdefault(row.path, row)
        if first is row:
            continue
        elsewhere = "" if first.source == row.source else f" of {first.source}"
        before = f"line {first.line}{elsewhere}"
        if first.label != row.label:
            what = f"under the label {row.label!r}, and {before} has it under {first.label!r}"
        elif first.split != row.split:
            what = f"for the {row.split} split, and {before} has it for the {first.split} split"
        else:
            what = f"again, after {before}"
        raise UserError(f"{row} names {printable(row.path)} {what}: keep one of the two.")


def check_there(
    rows: Sequence[Row], root: Path, archives: Mapping[str, str] | None, skip: bool
) -> None:
    """Refuse pictures that are missing, or that links lead out of the root.

    Args:
        rows: the pictures.
        root: the folder that they are in.
        archives: of a beginning of paths, where such pictures come from.
        skip: whether missing ones are left out later, with those that cannot be read.

    Raises:
        UserError: with the number of missing pictures, an example, and their archives.
    """
    if not root.is_dir():
        raise UserError(f"{root} is not a folder: set --data.root to the folder of images.")
    real = os.path.realpath(root)
    folders: dict[str, dict[str, bool]] = {}
    missing: list[Row] = []
    for row in rows:
        parent, name = posixpath.split(row.path)
        if parent not in folders:
            folders[parent] = _listing(root / parent)
            _check_links(root / parent, real, row)
        linked = folders[parent].get(name)
        if linked is None or linked:
            path = f"{root}/{row.path}"
            if os.path.lexists(path):  # by another spelling, as some systems allow, or by a link
                _check_links(Path(path), real, row)
            if not os.path.isfile(path):
                missing.append(row)
    if missing and not skip:
        raise UserError(_told(missing, len(rows), root, archives or {}))


def _listing(folder: Path) -> dict[str, bool]:
    """Return the files of a folder, and whether each is a link: asked for once, not per file."""
    try:
        with os.scandir(folder) as entries:
            return {
                entry.name: entry.is_symlink()
                for entry in entries
                if entry.is_symlink() or entry.is_file()
            }
    except OSError:
        return {}


def _check_links(path: Path, real: str, row: Row) -> None:
    target = os.path.realpath(path)
    if os.path.commonpath([real, target]) != real:
        raise UserError(
            f"{row} names {printable(row.path)}, a link that leads out of the root, to {target}: "
            "put the picture itself there, or set --data.root to a folder that holds both."
        )


def _told(missing: list[Row], count: int, root: Path, archives: Mapping[str, str]) -> str:
    lists = ", ".join(dict.fromkeys(str(row.source) for row in missing))
    first = missing[0]
    what = (
        f"{len(missing)} of {count} images of {lists} are not in {root}, such as "
        f"{printable(first.path)} (line {first.line})"
    )
    needed = Counter(
        archive
        for row in missing
        for start, archive in archives.items()
        if row.path.startswith(start)
    )
    if needed:
        parts = " and ".join(f"{name} ({number})" for name, number in needed.items())
        return f"{what}: unpack {parts} there, or set --data.root."
    if "\\" in first.path and (root / first.path.replace("\\", "/")).is_file():
        return f"{what}: write / for \\ in the paths, and they are there."
    return (
        f"{what}: put them there, set --data.root, or leave them out by "
        "--data.source.unreadable skip."
    )


def labelled(rows: Sequence[Row], place: Mapping[str, int], root: Path) -> dict[str, Labelled]:
    """Return the files of each split, in the order of the rows.

    Args:
        rows: the pictures.
        place: of each label in the order of the classes, those with training images.
        root: the folder that they are in.

    Raises:
        UserError: if a label of another split has no training image.
    """
    parts: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        form = None if row.label in place else other_form(row.label, place)
        if form is not None:
            raise UserError(
                f"{row} has the label {row.label!r}, which differs from {form!r} of the training "
                "images in its Unicode form alone: write both alike."
            )
        if row.label not in place:
            raise UserError(
                f"{row} has the label {row.label!r}, which has no training image: add some, or "
                "remove the line."
            )
        parts[row.split].append(row)
    found: dict[str, Labelled] = {}
    for split in ("train", "val", "test"):
        if split not in parts:
            continue
        named = [row.group for row in parts[split] if row.group is not None]
        found[split] = Labelled(
            [root / row.path for row in parts[split]],
            [place[row.label] for row in parts[split]],
            named if len(named) == len(parts[split]) else None,
        )
    return found
