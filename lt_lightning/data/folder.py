"""A folder of images, one sub-folder per class: the users' own data."""

import logging
import os
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from lt_lightning.data.decode import Unreadable, decode_all, read_image, unreadable
from lt_lightning.data.files import PassedOver
from lt_lightning.data.layout import (
    Layout,
    class_folders,
    files_of_classes,
    layout_of,
    pass_over_unused,
)
from lt_lightning.data.pixels import Reading
from lt_lightning.data.source import FileImages, ImageSet, MemoryImages, Source
from lt_lightning.errors import UserError

log = logging.getLogger(__name__)
Pair = tuple[list[Path], list[int]]  # files and their labels
_SIZE = 32  # of the images, where nothing asks for another


class ImageFolder(Source):
    """A folder of images: train/<class>/* and test/<class>/*, or <class>/* with `test_fraction`.

    A folder val/<class>/*, where there is one, is the held-out validation split; training,
    valid, validation and testing are understood too, in any case, and a folder that can be read in
    two ways is refused. Classes are the sub-folders of the training split, sorted by name; images
    are taken in sorted order, at any depth below their class. Names that begin with a dot are
    passed over; what else is no image is counted in a warning. Pictures are turned as
    their EXIF orientation says; of a moving picture the first frame is taken, of pages the first.
    Grey becomes RGB, and 16 bits become 8; samples that are signed or floating-point are refused.

    Args:
        image_size: width and height in pixels that the model sees; none is what the weights of the
            backbone ask for, and 32 where there are none.
        in_memory: decode all images once into one uint8 tensor (right for images of about 64
            pixels or less; kept in a cache keyed by the files) or read files as they are needed.
        test_fraction: the share of each class that is the test split, in (0, 1), where the folder
            has no train/ and test/; chosen by `split_seed`.
        split_seed: which images become test images.
        unreadable: "raise" names the first image that cannot be read; "skip" leaves such images
            out and says how many; a class that has none left is refused.
        scale: for images in files, the least share of the area that a training crop has, in
            (0, 1] (RandomResizedCrop; evaluation resizes the short side to 8/7 and crops the
            middle).
        background: red, green and blue, each from 0 to 255, behind transparent pixels.
        grey_bits: bits of a grey sample that is kept in 16, from 8 to 16; none takes what the file
            says, and refuses a picture that would come out nearly black.

    Raises:
        UserError: if a number is out of its range; later, if the folder is not laid out so, a
            split or class has no image, or an image cannot be read.
    """

    def __init__(
        self,
        image_size: int | None = None,
        in_memory: bool = True,
        test_fraction: float | None = None,
        split_seed: int = 0,
        unreadable: Literal["raise", "skip"] = "raise",
        scale: float = 0.08,
        background: tuple[int, int, int] = (255, 255, 255),
        grey_bits: int | None = None,
    ) -> None:
        if test_fraction is not None and not 0 < test_fraction < 1:
            raise UserError(f"test_fraction is {test_fraction}: give a number between 0 and 1.")
        if image_size is None:
            image_size = _SIZE
        if image_size < 1:
            raise UserError(f"image_size is {image_size}: give 1 pixel or more.")
        if split_seed < 0:
            raise UserError(f"split_seed is {split_seed}: give 0 or more.")
        if not 0 < scale <= 1:
            raise UserError(f"scale is {scale}: give a share of the area above 0, at most 1.")
        self.image_size, self.in_memory = image_size, in_memory
        self.test_fraction, self.split_seed = test_fraction, split_seed
        self.unreadable, self.scale = unreadable, scale
        self.reading = Reading(background, grey_bits)
        self._scans: dict[Path, dict[str, Pair]] = {}
        self._layouts: dict[Path, Layout] = {}

    def class_names(self, root: Path) -> list[str]:
        """Return the names of the class folders, sorted."""
        return class_folders(self._layout(root).train)

    def train_counts(self, root: Path) -> Tensor:
        """Return the training images per class."""
        _, labels = self._scan(root)["train"]
        return torch.bincount(torch.tensor(labels), minlength=len(self.class_names(root)))

    def has_validation(self, root: Path) -> bool:
        """Return whether there is a folder val/ beside train/."""
        return "val" in self._layout(root).splits

    def identity(self, root: Path) -> bytes:
        """Return the names of the training images below `root`, in order."""
        return b"\n".join(os.fsencode(p.relative_to(root)) for p in self._scan(root)["train"][0])

    def prepare(self, root: Path) -> None:
        """Fill the cache of decoded images, so that one process per machine decodes them."""
        if self.in_memory:
            self.load(root)

    def load(self, root: Path) -> dict[str, ImageSet]:
        """Return the splits; small images decoded, with a progress bar and a cache."""
        splits: dict[str, ImageSet] = {}
        for name, (paths, labels) in self._scan(root).items():
            target = torch.tensor(labels)
            if self.in_memory:
                splits[name] = MemoryImages(
                    target, decode_all(paths, self.image_size, root, self.reading)
                )
            else:
                splits[name] = FileImages(target, tuple(paths), self.read)
        return splits

    def read(self, path: Path, train: bool) -> Tensor:
        """Return one image, uint8 (3, H, W), as training or as evaluation sees it."""
        return read_image(path, self.image_size, self.scale if train else None, self.reading)

    def _layout(self, root: Path) -> Layout:
        if root not in self._layouts:
            self._layouts[root] = layout_of(root)
        return self._layouts[root]

    def _scan(self, root: Path) -> dict[str, Pair]:
        if root not in self._scans:
            self._scans[root] = self._list(root)
        return self._scans[root]

    def _list(self, root: Path) -> dict[str, Pair]:
        layout, names, passed = self._layout(root), self.class_names(root), PassedOver()
        if layout.splits:
            if "test" not in layout.splits:
                name = layout.train.name
                raise UserError(
                    f"{root} has {name}/ but no test/: add a folder test/ with the same classes, "
                    f"or give --data.root {layout.train} --data.source.test_fraction 0.2."
                )
            found: dict[str, Pair] = {
                split: files_of_classes(layout.splits[split], names, passed, split == "train")
                for split in ("train", "val", "test")
                if split in layout.splits
            }
            found = self._readable(found, names, root)
        else:
            if self.test_fraction is None:
                raise UserError(
                    f"{root} has no train/ and test/: make them, or set "
                    "--data.source.test_fraction (0.2, say) to split it."
                )
            whole = {"train": files_of_classes(root, names, passed, full=True)}
            found = self._split(self._readable(whole, names, root)["train"], self.test_fraction)
        pass_over_unused(layout, passed)
        passed.warn(root)
        for split, (paths, _) in found.items():
            if not paths:
                raise UserError(
                    f"The {split} split of {root} holds no image: add some, or remove the folder."
                )
        return found

    def _readable(self, found: dict[str, Pair], names: list[str], root: Path) -> dict[str, Pair]:
        """Return the images less those that are skipped; a class that they empty is named."""
        if self.unreadable == "raise":
            return found
        every = [path for paths, _ in found.values() for path in paths]
        bad = unreadable(every, root, self.reading)
        kept = {split: _without(pair, bad) for split, pair in found.items()}
        for split, (_, labels) in kept.items():
            emptied = sorted(set(found[split][1]) - set(labels))
            if not emptied:
                continue
            told = ", ".join(repr(names[k]) for k in emptied[:5])
            told += f" and {len(emptied) - 5} more" if len(emptied) > 5 else ""
            example = next(p for p, y in zip(*found[split], strict=True) if y == emptied[0])
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

    def _split(self, pair: Pair, fraction: float) -> dict[str, Pair]:
        paths, labels = pair
        rng, target = np.random.default_rng(self.split_seed), np.array(labels)
        test = np.zeros(len(paths), dtype=bool)
        for c in np.unique(target):
            members = np.flatnonzero(target == c)
            count = min(max(round(len(members) * fraction), 1), len(members) - 1)
            test[rng.permutation(members)[:count]] = True
        return {
            name: ([paths[i] for i in where], target[where].tolist())
            for name, where in (("train", np.flatnonzero(~test)), ("test", np.flatnonzero(test)))
        }


def _without(pair: Pair, bad: set[Path]) -> Pair:
    kept = [(p, y) for p, y in zip(*pair, strict=True) if p not in bad]
    return [p for p, _ in kept], [y for _, y in kept]
