"""A folder of images, one sub-folder per class: the users' own data."""

import os
from pathlib import Path
from typing import Literal

from lt_lightning import shell
from lt_lightning.data.division import Division
from lt_lightning.data.files import PassedOver, check_apart, folders_in
from lt_lightning.data.groups import NamedGroup
from lt_lightning.data.layout import (
    Layout,
    class_folders,
    files_of_classes,
    layout_of,
    pass_over_unused,
)
from lt_lightning.data.picture_files import Labelled, PictureFiles
from lt_lightning.data.picture_source import Found, PictureSource
from lt_lightning.errors import UserError


class ImageFolder(PictureSource):
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
        test_per_class: images of each class that are the test split, in place of `test_fraction`.
        group_by: a regular expression that is searched in the names of the files (with a slash in
            it, in their paths below the folder of their split); files with equal groups, such as a
            track by '^(.*)_', are never parted by a test or held-out split that is made; those in
            two folders of splits are counted in a warning.

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
        test_per_class: int | None = None,
        group_by: str | None = None,
    ) -> None:
        division = Division(test_fraction, test_per_class, split_seed)
        super().__init__(
            PictureFiles(image_size, in_memory, unreadable, scale, background, grey_bits), division
        )
        self._group = None if group_by is None else NamedGroup(group_by)
        self._layouts: dict[Path, Layout] = {}

    def class_names(self, root: Path) -> list[str]:
        """Return the names of the class folders, sorted."""
        return class_folders(self._layout(root).train)

    def has_validation(self, root: Path) -> bool:
        """Return whether there is a folder val/ beside train/."""
        return "val" in self._layout(root).splits

    def identity(self, root: Path) -> bytes:
        """Return the names of the training images below `root`, in order; folders label them."""
        train = self.found(root).splits["train"]
        return b"\n".join(os.fsencode(path.relative_to(root)) for path in train.paths)

    def find(self, root: Path) -> Found:
        """Return the files of the class folders, those of each split where it has a folder."""
        layout, names, passed = self._layout(root), self.class_names(root), PassedOver()
        if "test" not in layout.splits:
            self._check_divided(layout)
        parts = layout.splits or {"train": root}
        check_apart(below for folder in parts.values() for below in folders_in(folder))
        found: dict[str, Labelled] = {}
        for split in ("train", "val", "test"):
            if split in parts:
                files = files_of_classes(parts[split], names, passed, split == "train")
                found[split] = Labelled(*files, self._groups(files[0], parts[split], split))
        pass_over_unused(layout, passed)
        passed.warn(root)
        return Found(names, found)

    def _check_divided(self, layout: Layout) -> None:
        if layout.splits:
            name = layout.train.name
            raise UserError(
                f"{layout.root} has {name}/ but no test/: add a folder test/ with the same "
                f"classes, or train on a part of it by --data.root {shell.word(layout.train)} "
                "--data.source.test_fraction 0.2."
            )
        if not self.division.asked:
            raise UserError(
                f"{layout.root} has no train/ and test/: make them, or train on a "
                "part of it by --data.source.test_fraction (0.2, say)."
            )

    def _groups(self, paths: list[Path], folder: Path, split: str) -> list[str] | None:
        if self._group is None:
            return None
        return self._group.of_given([path.relative_to(folder) for path in paths], split)

    def _layout(self, root: Path) -> Layout:
        if root not in self._layouts:
            self._layouts[root] = layout_of(root)
        return self._layouts[root]
