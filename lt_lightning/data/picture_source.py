"""What every source of labelled picture files does once it knows which files there are."""

import os
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from lt_lightning.data.division import Division
from lt_lightning.data.groups import Grouped, numbered, tell_shared
from lt_lightning.data.picture_files import Labelled, PictureFiles
from lt_lightning.data.source import ImageSet, Source
from lt_lightning.errors import UserError


@dataclass(frozen=True)
class Found:
    """The files of a data set.

    Attributes:
        names: the classes, in label order.
        splits: the files of "train" and, where they are given, of "val" and "test".
    """

    names: list[str]
    splits: dict[str, Labelled]

    @property
    def groups(self) -> dict[str, list[str]]:
        """By split, the groups of its files, where they are known."""
        return {split: f.groups for split, f in self.splits.items() if f.groups is not None}


class PictureSource(Source):
    """Labelled picture files; a source of its own says which there are (`find`).

    What all sources promise is kept here: no test split is made beside one that is given, no split
    is empty, and groups that are in two given splits are named.

    Args:
        files: how they are read.
        division: how a test split is made where none is given.
    """

    def __init__(self, files: PictureFiles, division: Division) -> None:
        self.files, self.division = files, division
        self.image_size, self.reading = files.image_size, files.reading
        self._found: dict[Path, Found] = {}

    @abstractmethod
    def find(self, root: Path) -> Found:
        """Return the files; without "test" where the source does not give them.

        Raises:
            UserError: if they are not as they should be.
        """

    def listed_in(self, root: Path) -> Path | None:
        """Return the table or list that names the training images; none where folders do.

        Raises:
            UserError: if there is none of its name.
        """
        return None

    def found(self, root: Path) -> Found:
        """Return the files of each split, "test" among them, each with an image at least.

        Raises:
            UserError: if they are not as they should be.
        """
        if root not in self._found:
            given = self.find(root)
            splits = self.files.readable(given.splits, given.names, root)
            self._found[root] = self.divided(Found(given.names, splits), root)
            tell_shared(self._found[root].groups)
        return self._found[root]

    def divided(self, found: Found, root: Path) -> Found:
        """Return the files with a test split: the given one, or one that is made.

        Args:
            found: what `find` returned, all of it or the part that can be read.
            root: the folder of the files.

        Raises:
            UserError: if both are asked for, or a split would have no image.
        """
        if "test" in found.splits and self.division.asked:
            raise UserError(
                f"{root} has a test split of its own, and {self.division.told} is set, which makes "
                "one: give one of them."
            )
        splits = found.splits
        if "test" not in splits:
            train, test = self.division.of(splits["train"], found.names)
            splits = {**splits, "train": train, "test": test}
        for split, files in splits.items():
            if not len(files):
                raise UserError(
                    f"The {split} split of {root} holds no image: add some, or take it away."
                )
        return Found(found.names, splits)

    def class_names(self, root: Path) -> list[str]:
        """Return the names of the classes, in label order."""
        return self.found(root).names

    def train_counts(self, root: Path) -> Tensor:
        """Return the training images per class."""
        labels = self.found(root).splits["train"].labels
        return torch.bincount(torch.tensor(labels), minlength=len(self.class_names(root)))

    def grouped(self, root: Path) -> Grouped | None:
        """Return the groups of the training images, where they are known."""
        train = self.found(root).splits["train"]
        if train.groups is None:
            return None
        return Grouped(torch.tensor(train.labels), numbered(train.groups))

    def has_validation(self, root: Path) -> bool:
        """Return whether there is a validation split."""
        return "val" in self.found(root).splits

    def test_files(self, root: Path) -> list[Path]:
        """Return the files of the test split, in order."""
        return self.found(root).splits["test"].paths

    def identity(self, root: Path) -> bytes:
        """Return names and classes of the training images below `root`, in order."""
        found = self.found(root)
        train = found.splits["train"]
        return b"\n".join(
            os.fsencode(path.relative_to(root)) + b"\0" + os.fsencode(found.names[label])
            for path, label in zip(train.paths, train.labels, strict=True)
        )

    def prepare(self, root: Path) -> None:
        """Fill the cache of decoded images, so that one process per machine decodes them."""
        if self.files.in_memory:
            self.load(root)

    def load(self, root: Path) -> dict[str, ImageSet]:
        """Return the splits; small images decoded, with a progress bar and a cache."""
        return {
            split: self.files.load(files, root) for split, files in self.found(root).splits.items()
        }
