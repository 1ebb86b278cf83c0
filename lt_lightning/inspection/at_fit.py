"""What a fit says of odd pictures: no file is opened for it."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from lt_lightning.data.picture_source import PictureSource
from lt_lightning.data.source import ImageSet, MemoryImages
from lt_lightning.errors import printable
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


def _digests(images: MemoryImages) -> list[int]:
    # 64 bits: of a million pictures two share one by chance once in ten million fits.
    return [hash(pixels.tobytes()) for pixels in images.images.numpy()]


def _asked(source: PictureSource, root: Path) -> str:
    """Return the source as the words of the command name it."""
    listed = source.listed_in(root)
    if listed is None:
        return shlex.quote(str(root))
    words = [str(listed)] if listed.parent == root else [str(listed), "--root", str(root)]
    return shlex.join(words)
