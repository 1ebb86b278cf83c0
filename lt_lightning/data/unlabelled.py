"""Images without labels that are trained on beside the labelled ones."""

import logging
import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from lt_lightning.data.decode import Unreadable, decode_all, unreadable
from lt_lightning.data.files import KINDS, PassedOver, images_below
from lt_lightning.data.profiles import choose_images
from lt_lightning.data.reading import Reading
from lt_lightning.data.source import FileImages, ImageSet, MemoryImages
from lt_lightning.data.splits import Splits
from lt_lightning.data.subset import fingerprint
from lt_lightning.errors import UserError
from lt_lightning.home import home

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Found:
    """Unlabelled images.

    Args:
        images: with labels that are all 0.
        fingerprint: of the choice.
        selected: images per true class, int64 (C,), where classes selected them; else none.
        paths: the files of images that are not of the source, and so may be tested on as well.
    """

    images: ImageSet
    fingerprint: str
    selected: Tensor | None = None
    paths: tuple[Path, ...] = ()


class Unlabelled(ABC):
    """Which images without labels there are. What is known of their classes never supervises."""

    @abstractmethod
    def find(self, chosen: Splits, image_size: int, seed: int) -> Found:
        """Return the images.

        Args:
            chosen: the labelled images, and what the profile left over.
            image_size: pixels a side, of images that must be decoded.
            seed: of the choice.

        Raises:
            UserError: if there is no image.
        """


class UnlabelledFolder(Unlabelled):
    """All images of a folder, at any depth; the names of its sub-folders mean nothing.

    They are read like those of the source: small ones once, large ones when they are needed.

    Args:
        folder: the folder.
        unreadable: "raise" names the first image that cannot be read; "skip" leaves such images
            out and says how many.
    """

    def __init__(self, folder: str, unreadable: Literal["raise", "skip"] = "raise") -> None:
        self.folder, self.unreadable = folder, unreadable

    def find(self, chosen: Splits, image_size: int, seed: int) -> Found:
        """Return the images in the order of their names."""
        folder, labelled = home(self.folder), chosen.splits["train"]
        if not folder.is_dir():
            raise UserError(f"data.unlabelled.folder {folder} is not a folder: give one of images.")
        passed = PassedOver()
        paths = images_below(folder, passed)
        passed.warn(folder)
        if self.unreadable == "skip":
            bad = unreadable(paths, folder, chosen.reading)
            paths = [path for path in paths if path not in bad]
        if not paths:
            raise UserError(
                f"data.unlabelled.folder {folder} holds no image: give a folder of {KINDS}."
            )
        names = b"\n".join(os.fsencode(path.relative_to(folder)) for path in paths)
        labels = torch.zeros(len(paths), dtype=torch.int64)
        images: ImageSet
        if isinstance(labelled, FileImages):
            images = FileImages(labels, tuple(paths), labelled.read)
        else:
            images = MemoryImages(labels, _decoded(paths, image_size, folder, chosen.reading))
        told = fingerprint(torch.arange(len(paths)), labels[:0], names)
        return Found(images, told, paths=tuple(paths))


def _decoded(paths: list[Path], size: int, folder: Path, reading: Reading) -> Tensor:
    try:
        return decode_all(paths, size, folder, reading)
    except Unreadable as error:  # its remedy is for the labelled images
        raise UserError(
            f"{str(error).partition(error.fault)[0]}{error.fault}: replace or remove it, or set "
            "--data.unlabelled.unreadable skip."
        ) from error


class LeftOver(Unlabelled):
    """The training images that the profile left over, with an imbalance ratio of their own.

    Class c gets n_U r^(-c / (C - 1)) / sum_k r^(-k / (C - 1)) images, rounded down, n_U = `times`
    as many as there are labelled ones; at most what is left of it, which for the largest class is
    often nothing. The sizes that this gives are logged and kept with the results.

    Paper: Yang and Xu, Rethinking the Value of Labels for Improving Class-Imbalanced Learning,
    NeurIPS 2020, where CIFAR-10 has images of another collection, 5 times as many.

    Args:
        imbalance_ratio: r, at least 1; none takes the classes in the proportion in which they are
            left.
        times: n_U over the number of labelled images, above 0.

    Raises:
        UserError: if a number is out of range.
    """

    def __init__(self, imbalance_ratio: float | None = None, times: float = 5.0) -> None:
        if imbalance_ratio is not None and not 1 <= imbalance_ratio < float("inf"):
            raise UserError(f"imbalance_ratio is {imbalance_ratio}: give 1 or more, or null.")
        if not 0 < times < float("inf"):
            raise UserError(f"times is {times}: give a number above 0; 5 is published.")
        self.imbalance_ratio, self.times = imbalance_ratio, times

    def counts(self, available: Tensor, labelled: int) -> Tensor:
        """Return the images of each class, int64 (C,).

        Args:
            available: images that are left, int64 (C,).
            labelled: number of labelled images.
        """
        shares = available.double()
        if self.imbalance_ratio is not None:
            steps = torch.arange(len(available), dtype=torch.float64)
            shares = self.imbalance_ratio ** -(steps / max(len(available) - 1, 1))
        wanted = self.times * labelled * shares / shares.sum()
        # The small number is for shares such as 28.999999999999996 of 29.
        return torch.minimum((wanted + 1e-9).to(torch.int64), available)

    def find(self, chosen: Splits, image_size: int, seed: int) -> Found:
        """Return the images, chosen by `seed`."""
        labels = chosen.everything.labels[chosen.left_over]
        train = chosen.splits["train"]
        classes = int(chosen.everything.labels.max()) + 1
        available = torch.bincount(labels, minlength=classes)
        keep = self.counts(available, len(train))
        if not int(keep.sum()):
            raise UserError(
                f"data.unlabelled LeftOver finds no image ({len(labels)} are left over by the "
                "profile): use a profile that leaves some, or data.unlabelled UnlabelledFolder."
            )
        indices = chosen.left_over[choose_images(labels, keep, seed)]
        images = without_labels(chosen.everything.select(indices))
        return Found(images, fingerprint(indices, indices[:0], chosen.fingerprint.encode()), keep)


def without_labels(images: ImageSet) -> ImageSet:
    """Return `images` with labels that are all 0."""
    none = torch.zeros_like(images.labels)
    if isinstance(images, FileImages):
        return FileImages(none, images.paths, images.read)
    assert isinstance(images, MemoryImages)
    return MemoryImages(none, images.images)


def joined(labelled: ImageSet, found: Found, labels: Tensor) -> ImageSet:
    """Return the labelled images with the others behind them.

    Args:
        labelled: the labelled images.
        found: the unlabelled ones.
        labels: pseudo-labels of these, int64 (M,), plus C, which tells them from labels.
    """
    both = torch.cat([labelled.labels, labels.to(labelled.labels.device)])
    if isinstance(labelled, FileImages):
        assert isinstance(found.images, FileImages)
        return FileImages(both, labelled.paths + found.images.paths, labelled.read)
    assert isinstance(labelled, MemoryImages)
    assert isinstance(found.images, MemoryImages)
    others = found.images.images.to(labelled.images.device)
    return MemoryImages(both, torch.cat([labelled.images, others]))


def facts_of(found: Found, labels: Tensor, class_counts: Tensor) -> dict[str, Any]:
    """Return, and log, what a record keeps of unlabelled images and their pseudo-labels."""
    pseudo = torch.bincount(labels.cpu(), minlength=len(class_counts))
    total, labelled = len(labels), int(class_counts.sum())
    log.info(
        "%d unlabelled images, %.2f times the %d labelled ones, fingerprint %s; %s; pseudo-labels "
        "of a class: %s",
        total,
        total / labelled,
        labelled,
        found.fingerprint,
        "no class selected them"
        if found.selected is None
        else f"images of a class: {_told(found.selected)}",
        _told(pseudo),
    )
    selected = found.selected
    return {
        "images": total,
        "times": total / labelled,
        "fingerprint": found.fingerprint,
        "class_counts": None if selected is None else selected.tolist(),
        "imbalance_ratio": None if selected is None else _ratio(selected),
        "pseudo_label_counts": pseudo.tolist(),
        "pseudo_label_ratio": _ratio(pseudo),
    }


def _ratio(counts: Tensor) -> float | None:
    """Return largest over smallest, or none where a class is empty."""
    return float(counts.max() / counts.min()) if int(counts.min()) else None


def _told(counts: Tensor) -> str:
    ratio = _ratio(counts)
    end = "" if ratio is None else f" (ratio {ratio:.1f})"
    return f"{int(counts.min())} to {int(counts.max())}{end}"
