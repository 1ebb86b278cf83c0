"""Lists of images in the field's format: a path and the number of its class, line by line."""

import itertools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Literal

import torch

from lt_lightning.data.division import Division
from lt_lightning.data.groups import NamedGroup
from lt_lightning.data.layout import ODD, split_named
from lt_lightning.data.listed import (
    Row,
    check_once,
    check_there,
    file_named,
    inside,
    labelled,
    lines_of,
)
from lt_lightning.data.picture_files import Labelled, PictureFiles
from lt_lightning.data.picture_source import Found, PictureSource
from lt_lightning.errors import UserError

_TOTALS = ("train", "val", "test", "classes", "largest", "smallest")
_DIGITS = 9  # of a label at most


class ImageList(PictureSource):
    """Text lists as long-tailed learning has them: `path label`, one image a line.

    Labels are 0 to C-1, each with a training image. Paths start from `data.root`, may hold spaces,
    and cannot leave it. A picture that is named twice, also in two lists, a gap in the labels,
    missing files and a line that cannot be read are refused before anything is trained.

    Args:
        train: the list of training images, below the root or by its own path.
        test: that of test images; none needs `test_fraction` or `test_per_class`.
        val: that of validation images, where there is one.
        names: a file with the name of each class, one a line, in label order; none calls the
            classes by their numbers.
        totals: what the lists must hold: images of train, val and test, the number of classes,
            training images of the largest and of the smallest; others are refused.
        archives: where missing images come from: the beginning of their paths, and the archive.
        group_by: a regular expression that is searched in the names of the files (with a slash in
            it, in their paths, less a first folder such as train/); files with equal groups are
            never parted by a test or held-out split that is made; those in two lists are counted
            in a warning.
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
        UserError: if an option is out of its range; later, if a list is not as it should be.
    """

    def __init__(
        self,
        train: str = "train.txt",
        test: str | None = None,
        val: str | None = None,
        names: str | None = None,
        totals: dict[str, int] | None = None,
        archives: dict[str, str] | None = None,
        group_by: str | None = None,
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
        division = Division(test_fraction, test_per_class, split_seed)
        super().__init__(
            PictureFiles(image_size, in_memory, unreadable, scale, background, grey_bits), division
        )
        if test is None and not division.asked:
            raise UserError(
                "ImageList has no test images: give --data.source.test, a list, or "
                "--data.source.test_fraction (0.2, say)."
            )
        for key in totals or {}:
            if key not in _TOTALS:
                raise UserError(f"totals has {key!r}: give {', '.join(_TOTALS)}.")
        self._train = train
        self._lists = {"train": train, "val": val, "test": test}
        self._names, self._totals, self._archives = names, totals or {}, archives or {}
        self._group = None if group_by is None else NamedGroup(group_by)

    def find(self, root: Path) -> Found:
        """Return the files that the lists name."""
        if not root.is_dir():
            raise UserError(f"{root} is not a folder: set --data.root to the folder of images.")
        files = {
            split: file_named(name, root, f"data.source.{split}")
            for split, name in self._lists.items()
            if name is not None
        }
        rows = [row for split, file in files.items() for row in _rows(file, split)]
        count = _classes(rows, files["train"])
        check_once(rows)
        names = self._class_names(root, count)
        if self._group is not None:
            rows = _grouped(rows, self._group)
        found = labelled(rows, {str(label): label for label in range(count)}, root)
        _check_totals(found, count, self._totals, files["train"])
        check_there(rows, root, self._archives, self.files.skip)
        return Found(names, found)

    def listed_in(self, root: Path) -> Path:
        """Return the list of training images."""
        return file_named(self._train, root, "data.source.train")

    def _class_names(self, root: Path, count: int) -> list[str]:
        if self._names is None:
            return [str(label) for label in range(count)]
        file = file_named(self._names, root, "data.source.names")
        names = [line.strip() for line in lines_of(file)]
        while names and not names[-1]:
            names.pop()
        if len(names) != count:
            raise UserError(
                f"{file} has {len(names)} names but the lists have {count} classes: give one name "
                "a line, in label order."
            )
        first: dict[str, int] = {}
        for line, name in enumerate(names, 1):
            if not name or ODD.search(name):
                raise UserError(f"Line {line} of {file} has no name that is text, {name!r}.")
            if first.setdefault(name, line) != line:
                raise UserError(
                    f"Line {line} of {file} has the name {name!r} of line {first[name]}: give "
                    "each class a name of its own."
                )
        return names


def _rows(file: Path, split: str) -> list[Row]:
    rows = []
    for line, text in enumerate(lines_of(file), 1):
        if not text.strip():
            continue
        where = f"Line {line} of {file}"
        *start, label = text.rsplit(maxsplit=1)
        if not (label.isascii() and label.isdecimal() and len(label) <= _DIGITS):
            raise UserError(
                f"{where} ends in {label[:40]!r}, which is no number of a class: write `path "
                "label`, the label from 0 on, or use ImageTable for a CSV or for names."
            )
        rows.append(Row(file, line, inside("".join(start).strip(), where), str(int(label)), split))
    if not rows:
        raise UserError(f"{file} names no image: write `path label`, one a line.")
    return rows


def _grouped(rows: list[Row], group: NamedGroup) -> list[Row]:
    found = []
    for split, members in itertools.groupby(rows, key=lambda row: row.split):  # as they were read
        part = list(members)
        names = group.of_given([_in_split(row.path) for row in part], split)
        found += [replace(row, group=name) for row, name in zip(part, names, strict=True)]
    return found


def _in_split(path: str) -> PurePosixPath:
    """Return a path without the folder of its split, where it begins with one."""
    first, _, rest = path.partition("/")
    return PurePosixPath(rest if rest and split_named(first) else path)


def _classes(rows: list[Row], file: Path) -> int:
    """Return the number of classes; refuse a class without training images."""
    used = {int(row.label) for row in rows if row.split == "train"}
    last = max(used)
    absent = next(label for label in range(last + 2) if label not in used)
    if absent <= last:
        more = last + 1 - len(used)
        raise UserError(
            f"{file} has labels up to {last} but no image of {absent}"
            f"{f' and {more - 1} others' if more > 1 else ''}: number the classes from 0 without "
            "a gap."
        )
    if last < 1:
        raise UserError(f"{file} has images of one class: two at least are told apart.")
    return last + 1


def _check_totals(
    found: Mapping[str, Labelled], classes: int, totals: Mapping[str, int], file: Path
) -> None:
    counts = torch.bincount(torch.tensor(found["train"].labels), minlength=classes)
    have = {split: len(files) for split, files in found.items()}
    have |= {"classes": classes, "largest": int(counts.max()), "smallest": int(counts.min())}
    wrong = [key for key, count in totals.items() if have.get(key, 0) != count]
    if wrong:
        told = ", ".join(f"{key} {have.get(key, 0)} in place of {totals[key]}" for key in wrong)
        raise UserError(
            f"The lists of {file} are not those that are meant, {told}: get the published ones, or "
            "set --data.source.totals null."
        )
