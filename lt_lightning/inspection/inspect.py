"""The findings about a source of image files."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lt_lightning.data.groups import shared_groups
from lt_lightning.data.picture_source import Found, PictureSource
from lt_lightning.errors import UserError
from lt_lightning.inspection.names import confusable
from lt_lightning.inspection.seen import Seen, look_at
from lt_lightning.inspection.twins import Twins, twins_of


@dataclass(frozen=True)
class Inspection:
    """What a source of image files holds.

    Attributes:
        names: the classes.
        counts: by split, the images of each class; the faulty ones only where training is refused
            without them too.
        sizes: width and height of the pictures that can be read.
        faults: those that cannot be used.
        twins: pictures that are there several times.
        confusable: pairs of class names, and what alone tells them apart.
        shared: a sentence for each two splits that share groups.
        refusal: why training would be refused without the faulty pictures too; empty where it
            would not.
    """

    names: list[str]
    counts: dict[str, list[int]]
    sizes: list[tuple[int, int]]
    faults: list[Seen]
    twins: Twins
    confusable: list[tuple[str, str, str]]
    shared: list[str]
    refusal: str


def inspect(source: PictureSource, root: Path) -> Inspection:
    """Look at all pictures of a source.

    Args:
        source: it should skip what is unreadable, else one that refuses missing files does so here.
        root: the folder of the pictures.

    Raises:
        UserError: if the source refuses the folder, the table or the lists.
    """
    given = source.find(root)
    found = source.divided(given, root)
    paths = [path for files in found.splits.values() for path in files.paths]
    seen = look_at(paths, root, source.reading)
    faults = [one for one in seen if one.fault]
    refusal = ""
    try:  # training divides what is left without the faulty ones
        found = _without(source, root, given, {one.path for one in faults}) if faults else found
    except UserError as error:
        refusal = str(error)
    return Inspection(
        given.names,
        counts_of(found),
        [(one.width, one.height) for one in seen if not one.fault],
        faults,
        twins_of(found.splits, _digests(seen, found)),
        confusable(given.names),
        shared_groups(found.groups),
        refusal,
    )


def counts_of(found: Found) -> dict[str, list[int]]:
    """Return by split the images of each class."""
    counted = {split: Counter(files.labels) for split, files in found.splits.items()}
    return {split: [of[c] for c in range(len(found.names))] for split, of in counted.items()}


def _digests(seen: Sequence[Seen], found: Found) -> dict[str, list[str | None]]:
    known = {one.path: one.digest or None for one in seen}
    return {split: [known[path] for path in files.paths] for split, files in found.splits.items()}


def _without(source: PictureSource, root: Path, given: Found, bad: set[Path]) -> Found:
    """Return what the source finds without the pictures that are bad.

    Raises:
        UserError: if it refuses what is left.
    """
    kept = source.files.less(given.splits, bad, given.names, root)
    return source.divided(Found(given.names, kept), root)
