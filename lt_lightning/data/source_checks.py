"""What a source must give, of whatever package it is: names, counts and images that agree."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeGuard

import torch
from torch import Tensor

from lt_lightning.data.groups import Grouped
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
    if not _is_row(counts):
        raise UserError(
            f"{name} gave {_told(counts)}: return int64 ({classes},) on the CPU, such as "
            f"`torch.bincount(labels, minlength={classes})`."
        )
    if len(counts) != classes:
        raise UserError(
            f"{name} has {len(counts)} classes and class_names {classes}: give one number and one "
            "name per class."
        )
    return counts


def check_grouped(
    found: Any, counts: Tensor, source: Source, labels: Tensor | None = None
) -> Grouped | None:
    """Return the groups of the training images, numbered from 0 on, or say what they must be.

    Args:
        found: what the source gave.
        counts: training images per class, int64 (C,).
        source: the source.
        labels: of the training images as they were read, (N,); none before that.

    Raises:
        UserError: unless they are none, or labels and groups of the training images.
    """
    if found is None:
        return None
    name = f"{type(source).__name__}.grouped"
    if not isinstance(found, Grouped):
        raise UserError(f"{name} gave {told_value(found)}: return Grouped(labels, groups) or None.")
    for what, values in (("labels", found.labels), ("groups", found.groups)):
        if not _is_row(values) or len(values) != int(counts.sum()):
            raise UserError(
                f"{name} has the {what} {_told(values)} for {int(counts.sum())} training images: "
                "give int64 (N,) on the CPU."
            )
    known = not bool((found.labels < 0).any())
    same = known and torch.equal(_count(found.labels, len(counts)), counts)
    if not same or (labels is not None and not torch.equal(found.labels, labels)):
        raise UserError(
            f"{name} has other labels than the training images: give those, in the same order."
        )
    return Grouped(found.labels, torch.unique(found.groups, return_inverse=True)[1])


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
    counts = check_counts(source.train_counts(root), classes, source)
    counted = _count(found["train"].labels, classes)
    if not torch.equal(counts, counted):
        wrong = int((counts != counted).nonzero()[0])
        raise UserError(
            f"{type(source).__name__}.train_counts gave {int(counts[wrong])} for class {wrong} and "
            f"{name} {int(counted[wrong])} training images of it: let both count the same."
        )
    return dict(found)


def _count(labels: Tensor, classes: int) -> Tensor:
    return torch.bincount(labels, minlength=classes)


def _is_row(value: Any) -> TypeGuard[Tensor]:
    """Return whether a value is int64 (N,) on the CPU."""
    known = isinstance(value, Tensor) and value.dtype == torch.int64 and value.ndim == 1
    return known and value.device.type == "cpu"


def _told(value: Any) -> str:
    """Return a value as `told_value` does, with its device where that is not the CPU."""
    elsewhere = isinstance(value, Tensor) and value.device.type != "cpu"
    return f"{told_value(value)} on {value.device}" if elsewhere else told_value(value)


def _check_images(images: Any, classes: int, name: str) -> None:
    """Refuse what is no set of images, or has labels that are no class."""
    if not isinstance(images, ImageSet):
        raise UserError(
            f"{name} is {told_value(images)}: give MemoryImages(labels, images) or "
            "FileImages(labels, paths, read)."
        )
    labels = images.labels
    if not _is_row(labels):
        raise UserError(f"{name} has the labels {_told(labels)}: give int64 (N,) on the CPU.")
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
