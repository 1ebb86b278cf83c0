"""Labelled picture files: how they are read, left out where they are broken, and loaded."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from lt_lightning.data.decode import Unreadable, decode_all, read_image, unreadable
from lt_lightning.data.reading import reading
from lt_lightning.data.source import FileImages, ImageSet, MemoryImages
from lt_lightning.errors import UserError

log = logging.getLogger(__name__)
_SIZE = 32  # of the images, where nothing asks for another


@dataclass(frozen=True)
class Labelled:
    """Picture files with their labels, in order.

    Attributes:
        paths: N files.
        labels: N labels in 0..C-1.
        groups: of each file, the group that it shares with others; none where that is not known.
    """

    paths: list[Path]
    labels: list[int]
    groups: list[str] | None = None

    def __len__(self) -> int:
        return len(self.paths)

    def take(self, places: Sequence[int]) -> "Labelled":
        """Return those at `places`, in that order."""
        groups = None if self.groups is None else [self.groups[k] for k in places]
        return Labelled([self.paths[k] for k in places], [self.labels[k] for k in places], groups)

    def without(self, bad: set[Path]) -> "Labelled":
        """Return those that are not among the files `bad`."""
        return self.take([k for k, path in enumerate(self.paths) if path not in bad])


class PictureFiles:
    """How picture files become images: at once into memory, or when they are needed.

    Args:
        image_size: width and height in pixels that the model sees; none is 32.
        in_memory: decode all at once, or read files as they are needed.
        unreadable: "raise" names the first image that cannot be read; "skip" leaves such out.
        scale: for images in files, the least share of the area that a training crop has, (0, 1].
        background: red, green and blue, each from 0 to 255, behind transparent pixels.
        grey_bits: bits of a grey sample that is kept in 16, from 8 to 16; none is what files say.

    Raises:
        UserError: if a number is out of its range.
    """

    def __init__(
        self,
        image_size: int | None,
        in_memory: bool,
        unreadable: Literal["raise", "skip"],
        scale: float,
        background: tuple[int, int, int],
        grey_bits: int | None,
    ) -> None:
        if image_size is None:
            image_size = _SIZE
        if image_size < 1:
            raise UserError(f"image_size is {image_size}: give 1 pixel or more.")
        if not 0 < scale <= 1:
            raise UserError(f"scale is {scale}: give a share of the area above 0, at most 1.")
        self.image_size, self.in_memory, self.scale = image_size, in_memory, scale
        self.skip = unreadable == "skip"
        self.reading = reading(background, grey_bits)

    def read(self, path: Path, train: bool) -> Tensor:
        """Return one image, uint8 (3, H, W), as training or as evaluation sees it."""
        return read_image(path, self.image_size, self.scale if train else None, self.reading)

    def load(self, files: Labelled, root: Path) -> ImageSet:
        """Return the images; small ones decoded, with a progress bar and a cache."""
        target = torch.tensor(files.labels, dtype=torch.int64)
        if not self.in_memory:
            return FileImages(target, tuple(files.paths), self.read)
        return MemoryImages(target, decode_all(files.paths, self.image_size, root, self.reading))

    def readable(
        self, found: dict[str, Labelled], names: Sequence[str], root: Path
    ) -> dict[str, Labelled]:
        """Return the files of each split less those that are skipped.

        Args:
            found: the files of each split.
            names: the classes, in label order.
            root: the folder that they lie in.

        Raises:
            UserError: if a class has no training image left; it is named.
        """
        if not self.skip:
            return found
        every = [path for files in found.values() for path in files.paths]
        return self.less(found, unreadable(every, root, self.reading), names, root)

    def less(
        self, found: dict[str, Labelled], bad: set[Path], names: Sequence[str], root: Path
    ) -> dict[str, Labelled]:
        """Return the files of each split less those that are `bad`; see `readable`.

        Raises:
            UserError: if a class has no training image left; it is named.
        """
        kept = {split: files.without(bad) for split, files in found.items()}
        for split, files in kept.items():
            emptied = sorted(set(found[split].labels) - set(files.labels))
            if not emptied:
                continue
            told = ", ".join(repr(names[k]) for k in emptied[:5])
            told += f" and {len(emptied) - 5} more" if len(emptied) > 5 else ""
            example = found[split].paths[found[split].labels.index(emptied[0])]
            if split == "train":
                raise UserError(
                    f"No image of the class {told} in {root} can be read ({self._why(example)}): "
                    "mend them, or take the class away."
                )
            log.warning("No image of the class %s in the %s split can be read.", told, split)
        return kept

    def _why(self, path: Path) -> str:
        try:
            self.read(path, train=False)
        except Unreadable as error:
            return f"{path} {error.fault}"
        return f"{path} could not be read before"
