"""A table of images: a CSV whose columns name files, labels, splits and groups."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Literal

from lt_lightning.data.csv_table import (
    LABEL_COLUMNS,
    PATH_COLUMNS,
    Table,
    read_table,
    separator_of,
)
from lt_lightning.data.division import Division
from lt_lightning.data.files import folders_in
from lt_lightning.data.layout import ODD, split_named
from lt_lightning.data.listed import (
    Row,
    check_once,
    check_there,
    file_named,
    inside,
    is_number,
    labelled,
)
from lt_lightning.data.picture_files import Labelled, PictureFiles
from lt_lightning.data.picture_source import Found, PictureSource
from lt_lightning.data.split_values import SplitValues
from lt_lightning.errors import UserError

METADATA = "metadata.csv"  # where Hugging Face's image folders have their labels
_SPLIT_COLUMNS = ("split",)


class ImageTable(PictureSource):
    """A CSV that names images and their labels; it may name splits and groups too.

    The first line names the columns; the separator is found. Paths start from `data.root` and
    cannot leave it. Labels are names, sorted, or numbers such as 7, -1 or 2.5, in their order. A
    picture that is named
    twice, an empty label, a missing file and a line that cannot be read are refused with the line
    before anything is trained.

    Args:
        file: the table, below the root or by its own path; none is metadata.csv in the root, or in
            the folders train/, val/ and test/ of it.
        path_column: column of files; none is file, path, image, file_name, filename or image_path.
        label_column: column of labels; none is label, class, class_name or target.
        split_column: column of splits; none is split. Where there is none, the folders train/,
            val/ and test/ tell if every path begins with one; else all are training images, of
            which `test_fraction` or `test_per_class` makes a test split.
        split_values: what values of the split column mean, which must be there: train, val, test,
            or null for images that are left out; the usual names of splits are known.
        group_by: column whose equal values, such as a sender or a patient, are never on both
            sides of a test or held-out split that is made; those in two splits of the table are
            counted in a warning.
        separator: between columns, one character or tab; none finds it.
        path_format: how a path is made of the value in the column, such as images/{}.jpg.
        image_size: width and height in pixels that the model sees; none is what the weights of the
            backbone ask for, and 32 where there are none.
        in_memory: decode all images once into one uint8 tensor, or read files as they are needed.
        test_fraction: the share of each class that is the test split, in (0, 1).
        test_per_class: images of each class that are the test split, in its place.
        split_seed: which images become test images.
        unreadable: "raise" names the first image that is missing or cannot be read; "skip" leaves
            such images out and says how many; a class that has none left is refused.
        scale: for images in files, the least share of the area that a training crop has, in (0, 1].
        background: red, green and blue, each from 0 to 255, behind transparent pixels.
        grey_bits: bits of a grey sample that is kept in 16, from 8 to 16; none is what files say.

    Raises:
        UserError: if an option is out of its range; later, if the table is not as it should be.
    """

    def __init__(
        self,
        file: str | None = None,
        path_column: str | None = None,
        label_column: str | None = None,
        split_column: str | None = None,
        split_values: dict[str | int, str | None] | None = None,
        group_by: str | None = None,
        separator: str | None = None,
        path_format: str = "{}",
        image_size: int | None = None,
        in_memory: bool = True,
        test_fraction: float | None = None,
        test_per_class: int | None = None,
        split_seed: int = 0,
        unreadable: Literal["raise", "skip"] = "raise",
        scale: float = 0.08,
        background: tuple[int, int, int] = (255, 255, 255),
        grey_bits: int | None = None,
    ) -> None:
        super().__init__(
            PictureFiles(image_size, in_memory, unreadable, scale, background, grey_bits),
            Division(test_fraction, test_per_class, split_seed),
        )
        if path_format.count("{}") != 1 or set(path_format.replace("{}", "")) & set("{}"):
            raise UserError(
                f"path_format is {path_format!r}: give one with {{}} once, such as "
                "'images/{}.jpg'."
            )
        self._file, self._columns = file, (path_column, label_column, split_column, group_by)
        self._separator, self._format = separator_of(separator), path_format
        self._values = SplitValues(split_values or {})

    def find(self, root: Path) -> Found:
        """Return the files that the table names."""
        if not root.is_dir():
            raise UserError(f"{root} is not a folder: set --data.root to the folder of images.")
        tables = self._tables(root)
        rows = [row for table, split in tables for row in self._rows(table, split, root)]
        self._values.check_used([table for table, _ in tables], self._columns[2])
        check_once(rows)
        names = _class_names(rows)
        found = labelled(rows, {name: label for label, name in enumerate(names)}, root)
        self._check_tested(found, rows[0].source)
        check_there(rows, root, None, self.files.skip)
        return Found(names, found)

    def listed_in(self, root: Path) -> Path | None:
        """Return the table; none where it is that of the folder."""
        return None if self._file is None else file_named(self._file, root, "data.source.file")

    def _tables(self, root: Path) -> list[tuple[Table, str | None]]:
        """Return the tables, each with the split that its folder is."""
        file = self.listed_in(root)
        if file is not None:
            return [(read_table(file, self._separator), None)]
        if (root / METADATA).is_file():
            return [(read_table(root / METADATA, self._separator), None)]
        found = [
            (read_table(folder / METADATA, self._separator), split_named(folder.name))
            for folder in folders_in(root)
            if split_named(folder.name) and (folder / METADATA).is_file()
        ]
        if not found:
            raise UserError(
                f"{root} has no {METADATA}: give --data.source.file, a CSV that names images and "
                "labels."
            )
        return found

    def _rows(self, table: Table, split: str | None, root: Path) -> list[Row]:
        asked_path, asked_label, asked_split, asked_group = self._columns
        path = table.column(asked_path, PATH_COLUMNS, "data.source.path_column")
        label = table.column(asked_label, LABEL_COLUMNS, "data.source.label_column")
        place = table.column(asked_split, _SPLIT_COLUMNS, "data.source.split_column")
        group = table.column(asked_group, (), "data.source.group_by")
        if path is None or label is None:
            what, option = ("files", "path") if path is None else ("labels", "label")
            raise UserError(
                f"{table.file} has no column of {what} (it has {table.told()}): name it by "
                f"--data.source.{option}_column, or give --data.source.separator."
            )
        above = "" if split is None else f"{table.file.parent.relative_to(root).as_posix()}/"
        rows = []
        for line, cells in table.rows:
            where = f"Line {line} of {table.file}"
            own = split
            if place is not None:
                own = self._values.of(cells[place], where)
                if own is None:
                    continue
                _check_folder(own, split, where)
            if not cells[path]:
                raise UserError(f"{where} names no file: complete it, or remove it.")
            text = inside(above + self._path(cells[path], where), where)
            named = None if group is None else _filled(cells[group], "group", where)
            written = _label(cells[label], where)
            rows.append(Row(table.file, line, text, written, own or "train", named))
        return rows if place is not None or split is not None else _by_folder(rows)

    def _path(self, cell: str, where: str) -> str:
        """Return the path that a cell is written into; each part of it starts from the root."""
        if self._format.partition("{}")[0].endswith(("/", "\\")):
            inside(cell, where)
        return inside(self._format.format(cell), where)

    def _check_tested(self, found: dict[str, Labelled], file: Path) -> None:
        if "test" not in found and not self.division.asked:
            raise UserError(
                f"{file} names no test images: name the column of splits by "
                "--data.source.split_column, or set --data.source.test_fraction (0.2, say)."
            )


def _check_folder(own: str, split: str | None, where: str) -> None:
    if split is not None and own != split:
        raise UserError(
            f"{where} has the split {own} but lies in the folder of {split}: put the image and its "
            "line there, or take the column away."
        )


def _by_folder(rows: list[Row]) -> list[Row]:
    """Return the rows with the splits that their first folders are, if all are some."""
    splits = [split_named(row.path.split("/")[0]) if "/" in row.path else None for row in rows]
    if None in splits:
        return rows
    return [replace(row, split=split) for row, split in zip(rows, splits, strict=True) if split]


def _filled(cell: str, what: str, where: str) -> str:
    if not cell:
        raise UserError(f"{where} has no {what}: complete it, or remove it.")
    return cell


def _label(cell: str, where: str) -> str:
    if ODD.search(_filled(cell, "label", where)):
        raise UserError(f"{where} has a label with a control character, {cell[:80]!r}: rename it.")
    return cell


def _class_names(rows: list[Row]) -> list[str]:
    """Return the labels of the training images: numbers in their order, names sorted."""
    labels = dict.fromkeys(row.label for row in rows if row.split == "train")
    if len(labels) < 2:
        told = ", ".join(repr(label) for label in labels) or "none"
        raise UserError(
            f"The training images of {rows[0].source if rows else 'the table'} have {len(labels)} "
            f"labels ({told}): name the right column by --data.source.label_column; two at least."
        )
    numbers = {label: Decimal(label) for label in labels if is_number(label)}
    if len(numbers) < len(labels):
        return sorted(labels)
    known: dict[Decimal, str] = {}
    for label, number in numbers.items():
        other = known.setdefault(number, label)
        if other != label:
            row = next(row for row in rows if row.label == label)
            raise UserError(
                f"{row} has the label {label!r}, and others are {other!r}, the same number: write "
                "both alike."
            )
    return sorted(labels, key=numbers.__getitem__)
