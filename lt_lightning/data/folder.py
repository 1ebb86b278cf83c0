"""A folder of images, one sub-folder per class: the users' own data."""

import os
import re
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from lt_lightning.data.decode import decode_all, read_image, unreadable
from lt_lightning.data.pixels import Reading
from lt_lightning.data.source import FileImages, ImageSet, MemoryImages, Source
from lt_lightning.errors import UserError

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"}
_SIZE = 32  # of the images, where nothing asks for another
_ODD = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")  # the last are bytes that are no UTF-8


class ImageFolder(Source):
    """A folder of images: train/<class>/* and test/<class>/*, or <class>/* with `test_fraction`.

    A folder val/<class>/*, where there is one, is the held-out validation split. Classes are the
    sub-folders of the training split, sorted by name; images are taken in sorted order, at any
    depth below their class. Names that begin with a dot are passed over. Pictures are turned as
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
            out and says how many.
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
        self._scans: dict[Path, dict[str, tuple[list[Path], list[int]]]] = {}

    def class_names(self, root: Path) -> list[str]:
        """Return the names of the class folders, sorted."""
        return _class_folders(root / "train" if (root / "train").is_dir() else root)

    def train_counts(self, root: Path) -> Tensor:
        """Return the training images per class."""
        _, labels = self._scan(root)["train"]
        return torch.bincount(torch.tensor(labels), minlength=len(self.class_names(root)))

    def has_validation(self, root: Path) -> bool:
        """Return whether there is a folder val/ beside train/."""
        return (root / "train").is_dir() and (root / "val").is_dir()

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

    def _scan(self, root: Path) -> dict[str, tuple[list[Path], list[int]]]:
        if root not in self._scans:
            self._scans[root] = self._list(root)
        return self._scans[root]

    def _list(self, root: Path) -> dict[str, tuple[list[Path], list[int]]]:
        if not root.is_dir():
            raise UserError(f"{root} is not a folder: set --data.root to the folder of images.")
        names = self.class_names(root)
        if (root / "train").is_dir():
            found = {
                split: files_of_classes(root / split, names, full=split == "train")
                for split in ("train", "val", "test")
                if (root / split).is_dir()
            }
            if "test" not in found:
                raise UserError(
                    f"{root} has train/ but no test/: add a folder test/ with the same classes, or "
                    f"give --data.root {root / 'train'} --data.source.test_fraction 0.2."
                )
        else:
            found = self._split(files_of_classes(root, names, full=True), root)
        if self.unreadable == "skip":
            every = [path for paths, _ in found.values() for path in paths]
            bad = unreadable(every, root, self.reading)
            found = {name: _without(pair, bad) for name, pair in found.items()}
        for split, (paths, _) in found.items():
            if not paths:
                raise UserError(
                    f"The {split} split of {root} holds no image: add some, or remove the folder."
                )
        return found

    def _split(
        self, pair: tuple[list[Path], list[int]], root: Path
    ) -> dict[str, tuple[list[Path], list[int]]]:
        if self.test_fraction is None:
            raise UserError(
                f"{root} has no train/ and test/: make them, or set "
                "--data.source.test_fraction (0.2, say) to split it."
            )
        paths, labels = pair
        rng, target = np.random.default_rng(self.split_seed), np.array(labels)
        test = np.zeros(len(paths), dtype=bool)
        for c in np.unique(target):
            members = np.flatnonzero(target == c)
            count = min(max(round(len(members) * self.test_fraction), 1), len(members) - 1)
            test[rng.permutation(members)[:count]] = True
        return {
            name: ([paths[i] for i in where], target[where].tolist())
            for name, where in (("train", np.flatnonzero(~test)), ("test", np.flatnonzero(test)))
        }


def _class_folders(folder: Path) -> list[str]:
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder: set --data.root to the folder of images.")
    names = sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    odd = next((name for name in names if _ODD.search(name)), None)
    if odd is not None:
        raise UserError(
            f"{folder} has the class folder {odd!r}, a name that is no text in UTF-8 or has "
            "control characters: rename it, for the results name the classes."
        )
    if len(names) < 2:
        raise UserError(
            f"{folder} has {len(names)} class folders: put the images of each class into a folder "
            "of its own, two classes at least."
        )
    return names


def images_below(folder: Path) -> list[Path]:
    """Return the image files of a folder at any depth, sorted: those of training and prediction.

    A link to nowhere is among them, for an image is missing there and reading it says so.
    """
    # Names with a dot in front are leavings of file managers, such as ._photo.jpg.
    return sorted(
        p
        for p in folder.rglob("*")
        if p.suffix.lower() in SUFFIXES
        and not any(part.startswith(".") for part in p.relative_to(folder).parts)
        and not p.is_dir()
    )


def files_of_classes(
    folder: Path, names: list[str], full: bool = False
) -> tuple[list[Path], list[int]]:
    """Return the files of <class>/* and their labels.

    Args:
        folder: has a folder for each class.
        names: the classes, in label order.
        full: whether each must have an image.

    Raises:
        UserError: if there is a folder of another class, or a class without an image must have one.
    """
    own = sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    unknown = [name for name in own if name not in names]
    if unknown:
        raise UserError(
            f"{folder} has the class {unknown[0]!r}, which has no training images: remove the "
            "folder, or add training images of that class."
        )
    paths: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(names):
        below = images_below(folder / name)
        if not below and full:
            raise UserError(
                f"The class folder {folder / name} holds no image ({', '.join(sorted(SUFFIXES))}): "
                "add images, or remove the folder."
            )
        paths += below
        labels += [label] * len(below)
    return paths, labels


def _without(pair: tuple[list[Path], list[int]], bad: set[Path]) -> tuple[list[Path], list[int]]:
    kept = [(p, y) for p, y in zip(*pair, strict=True) if p not in bad]
    return [p for p, _ in kept], [y for _, y in kept]
