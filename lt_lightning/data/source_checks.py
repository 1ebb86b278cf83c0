"""What a source must give, of whatever package it is: names, counts and images that agree."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lt_lightning.data.source import FileImages, ImageSet, MemoryImages, Source
from lt_lightning.errors import UserError
from lt_lightning.inputs import told_value


def check_names(names: Any, source: Source) -> list[str]:
    """Return the names of the classes, or say what they must be.

    Raises:
        UserError: unless they are a list of different texts.
    """
    name = type(source).__name__
    if not isinstance(names, list | tuple) or not all(isinstance(n, str) for n in names):
        inner = {type(n).__name__ for n in names} if isinstance(names, list | tuple) else ""
        got = told_value(names) + (f" of {', '.join(sorted(inner))}" if inner else "")
        raise UserError(f"{name}.class_names gave {got}: return a list of texts, one per class.")
    twice = [word for word, times in Counter(names).items() if times > 1]
    if twice:
        raise UserError(f"{name}.class_names has {twice[0]!r} twice: give each class its own name.")
    return list(names)


def check_counts(counts: Any, classes: int, source: Source) -> Tensor:
    """Return the training images per class, or say what they must be.

    Raises:
        UserError: unless they are a tensor int64 (C,) on the CPU.
    """
    name = f"{type(source).__name__}.train_counts"
    if not isinstance(counts, Tensor) or counts.dtype != torch.int64 or counts.ndim != 1:
        raise UserError(
            f"{name} gave {told_value(counts)}: return int64 ({classes},), such as "
            f"`torch.bincount(labels, minlength={classes})`."
        )
    if len(counts) != classes:
        raise UserError(
            f"{name} has {len(counts)} classes and class_names {classes}: give one number and one "
            "name per class."
        )
    return counts


def check_splits(found: Any, source: Source, root: Path) -> dict[str, ImageSet]:
    """Return the splits that a source has read, or say what they must be.

    Raises:
        UserError: unless they are a mapping of images that agree with names and counts.
    """
    name = f"{type(source).__name__}.load"
    if not isinstance(found, Mapping):
        raise UserError(
            f'{name} gave {told_value(found)}: return a mapping with the splits "train" and "test".'
        )
    validates = source.has_validation(root)
    for split in ("train", "test", *(("val",) if validates else ())):
        if split not in found:
            has = ", ".join(map(str, found)) or "nothing"
            more = ", for has_validation is true" if split == "val" else ""
            raise UserError(f"{name} gave {has} and no {split!r}: return that split too{more}.")
    if "val" in found and not validates:
        raise UserError(f"{name} gave 'val' but has_validation is false: let it return True.")
    classes = len(source.class_names(root))
    for split, images in found.items():
        _check_images(images, classes, f"{name}()[{split!r}]")
    counts, counted = source.train_counts(root), _count(found["train"], classes)
    if not torch.equal(counts, counted):
        wrong = int((counts != counted).nonzero()[0])
        raise UserError(
            f"{type(source).__name__}.train_counts gave {int(counts[wrong])} for class {wrong} and "
            f"{name} {int(counted[wrong])} training images of it: let both count the same."
        )
    return dict(found)


def _count(images: ImageSet, classes: int) -> Tensor:
    return torch.bincount(images.labels, minlength=classes)


def _check_images(images: Any, classes: int, name: str) -> None:
    """Refuse what is no set of images, or has labels that are no class."""
    if not isinstance(images, ImageSet):
        raise UserError(
            f"{name} is {told_value(images)}: give MemoryImages(labels, images) or "
            "FileImages(labels, paths, read)."
        )
    labels = images.labels
    if not isinstance(labels, Tensor) or labels.dtype != torch.int64 or labels.ndim != 1:
        raise UserError(f"{name} has the labels {told_value(labels)}: give int64 (N,).")
    low, high = (int(labels.min()), int(labels.max())) if len(labels) else (0, 0)
    if low < 0 or high >= classes:
        raise UserError(
            f"{name} has labels from {low} to {high} but class_names has {classes} names: number "
            f"the classes from 0 to {classes - 1}, or name them all."
        )
    if isinstance(images, MemoryImages):
        _check_pixels(images, name)
    if isinstance(images, FileImages) and len(images.paths) != len(labels):
        raise UserError(
            f"{name} has {len(images.paths)} paths and {len(labels)} labels: give one per image."
        )


def _check_pixels(found: MemoryImages, name: str) -> None:
    images, n = found.images, len(found.labels)
    known = isinstance(images, Tensor) and images.dtype == torch.uint8 and images.ndim == 4
    if not known or images.shape[:2] != (n, 3):
        raise UserError(
            f"{name} has the images {told_value(images)} for {n} labels: give uint8 ({n}, 3, H, W)."
        )
