"""What every data source gives: class names, counts and two splits of images."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from lt_lightning.data.groups import Grouped
from lt_lightning.data.reading import Reading


@dataclass(frozen=True)
class ImageSet(ABC):
    """Labels (N,) int64, and images that can be fetched by index."""

    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    @abstractmethod
    def select(self, indices: Tensor) -> "ImageSet":
        """Return the images `indices`, in that order."""


@dataclass(frozen=True)
class MemoryImages(ImageSet):
    """Small images in one uint8 tensor; a batch is one index lookup.

    Args:
        labels: int64 (N,).
        images: uint8 (N, 3, H, W).
    """

    images: Tensor

    def select(self, indices: Tensor) -> "MemoryImages":
        """Return the images `indices`, in that order."""
        return MemoryImages(self.labels[indices], self.images[indices])

    def to(self, device: torch.device) -> "MemoryImages":
        """Return the same images on `device`."""
        return MemoryImages(self.labels.to(device), self.images.to(device))


@dataclass(frozen=True)
class FileImages(ImageSet):
    """Images that stay in their files and are decoded by DataLoader workers.

    Args:
        labels: int64 (N,).
        paths: N files.
        read: `read(path, train)` returns uint8 (3, H, W); random choices come from torch's global
            generator, which the loader seeds per image.
    """

    paths: tuple[Path, ...]
    read: Callable[[Path, bool], Tensor]

    def select(self, indices: Tensor) -> "FileImages":
        """Return the images `indices`, in that order."""
        chosen = tuple(self.paths[i] for i in indices.tolist())
        return FileImages(self.labels[indices], chosen, self.read)


class Source(ABC):
    """A data set before any image is left out.

    A source only stores its parameters. `class_names` and `train_counts` must answer without the
    images where that is possible, since the model is built before any image is read.

    Attributes:
        reading: how image files are read: those of the source, and those that are predicted,
            tested or added beside them.
        image_size: width and height in pixels of images that stay in their files; 0 where the
            images themselves tell it.
    """

    reading = Reading()
    image_size: int = 0

    @abstractmethod
    def class_names(self, root: Path) -> list[str]:
        """Return the names of the classes, in label order."""

    @abstractmethod
    def train_counts(self, root: Path) -> Tensor:
        """Return the training images per class before any profile, int64 (C,)."""

    def grouped(self, root: Path) -> Grouped | None:
        """Return which training images are never parted by a split; none where any may be.

        The labels are those of `load`, in its order; the numbers of the groups may be any.
        """
        return None

    def identity(self, root: Path) -> bytes:
        """Return what tells this data from others of the same class; part of the fingerprint.

        The fingerprint holds the numbers of the chosen images; that is enough where the class
        says what their order is.
        """
        return b""

    def has_validation(self, root: Path) -> bool:
        """Return whether the source has a held-out split of its own."""
        return False

    def test_files(self, root: Path) -> Sequence[Path] | None:
        """Return the files of the test split, in order; none where images are no files."""
        return None

    def prepare(self, root: Path) -> None:  # noqa: B027  most sources have nothing to fetch
        """Fetch what is missing; called on one process per machine."""

    @abstractmethod
    def load(self, root: Path) -> dict[str, ImageSet]:
        """Return the splits "train" and "test", and "val" where the source has its own."""
