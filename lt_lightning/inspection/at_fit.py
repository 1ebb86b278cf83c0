"""What a fit says of odd pictures: no file is opened for it."""

import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from lt_lightning import shell
from lt_lightning.data.picture_source import PictureSource
from lt_lightning.data.source import FileImages, ImageSet, MemoryImages
from lt_lightning.data.unlabelled import Found
from lt_lightning.errors import counted, printable
from lt_lightning.inspection.inspect import counts_of
from lt_lightning.inspection.names import confusable
from lt_lightning.inspection.oddities import alike, missing, twice
from lt_lightning.inspection.twins import twins_of


def odd_at_fit(source: PictureSource, root: Path, images: Mapping[str, ImageSet]) -> str:
    """Return one sentence on what is odd, and where more is told; empty where nothing is.

    Pictures are compared as the network sees them, and only those that are in memory.

    Args:
        source: where they are from.
        root: the folder of the pictures.
        images: the splits as the source gave them.
    """
    found = source.found(root)
    digests = {
        split: _digests(given)
        for split, given in images.items()
        if isinstance(given, MemoryImages) and len(given) == len(found.splits[split])
    }
    twins = twins_of(found.splits, digests)
    odd = [
        *twice("under two classes", twins.classes, root),
        *twice("in two splits", twins.splits, root),
        *missing(found.names, counts_of(found)),
        *alike(confusable(found.names)),
    ]
    return printable(f"{'; '.join(odd)}: see lt data check {_asked(source, root)}.") if odd else ""


def unlabelled_but_tested(found: Found, evaluated: Mapping[str, ImageSet]) -> str:
    """Return one sentence on pictures that are unlabelled and evaluated on; empty without any.

    Pictures in memory are compared as the network sees them, those in files by their paths.

    Args:
        found: the unlabelled ones.
        evaluated: the splits that the run is tested and validated on.
    """
    own = _marks(found.images) if found.paths else []
    told = []
    for split, images in evaluated.items():
        known = set(_marks(images))
        both = [path for path, mark in zip(found.paths, own, strict=True) if mark in known]
        if both:
            example = f"{counted(len(both), 'picture')}, such as {both[0]}"
            told.append(f"the same picture is unlabelled and in {split}: {example}")
    remedy = "take it out of data.unlabelled, for the run is trained on it"
    return printable(f"{'; '.join(told)}: {remedy}.") if told else ""


def _marks(images: ImageSet) -> Sequence[int | str]:
    """Return what tells images from others."""
    if isinstance(images, MemoryImages):
        return _digests(images)
    assert isinstance(images, FileImages)
    folder = cache(os.path.realpath)  # of a file itself it would ask the disk a million times
    return [f"{folder(path.parent)}/{path.name}" for path in images.paths]


def _digests(images: MemoryImages) -> list[int]:
    # 64 bits: of a million pictures two share one by chance once in ten million fits.
    return [hash(pixels.tobytes()) for pixels in images.images.cpu().numpy()]


def _asked(source: PictureSource, root: Path) -> str:
    """Return the source as the words of the command name it."""
    listed = source.listed_in(root)
    if listed is None:
        return shell.word(root)
    more = "" if listed.parent == root else f" --root {shell.word(root)}"
    return f"{shell.word(listed)}{more}"
