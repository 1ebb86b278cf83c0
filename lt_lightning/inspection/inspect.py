"""The findings about a source of image files."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lt_lightning.data.groups import shared_groups
from lt_lightning.data.picture_files import Labelled
from lt_lightning.data.picture_source import Found, PictureSource
from lt_lightning.errors import UserError
from lt_lightning.inspection.names import confusable
from lt_lightning.inspection.seen import Seen, look_at


@dataclass(frozen=True)
class Twins:
    """Pictures that are there several times, pixel by pixel.

    Attributes:
        classes: groups under more than one class; one of the labels is wrong.
        splits: groups of one class in more than one split; the test is easier than it seems.
        inside: groups of one class in one split.
    """

    classes: list[list[Path]]
    splits: list[list[Path]]
    inside: list[list[Path]]


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

    @property
    def absent(self) -> dict[str, list[str]]:
        """By split, the classes without an image."""
        pairs = {split: zip(self.names, c, strict=True) for split, c in self.counts.items()}
        return {split: [name for name, n in found if not n] for split, found in pairs.items()}


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
        {split: _counts(files, len(given.names)) for split, files in found.splits.items()},
        [(one.width, one.height) for one in seen if not one.fault],
        faults,
        _twins({one.path: one for one in seen}, found),
        confusable(given.names),
        shared_groups(found.groups),
        refusal,
    )


def _counts(files: Labelled, classes: int) -> list[int]:
    counted = Counter(files.labels)
    return [counted[label] for label in range(classes)]


def _without(source: PictureSource, root: Path, given: Found, bad: set[Path]) -> Found:
    """Return what the source finds without the pictures that are bad.

    Raises:
        UserError: if it refuses what is left.
    """
    kept = source.files.less(given.splits, bad, given.names, root)
    return source.divided(Found(given.names, kept), root)


def _twins(seen: Mapping[Path, Seen], found: Found) -> Twins:
    groups = defaultdict(list)
    for split, files in found.splits.items():
        for path, label in zip(files.paths, files.labels, strict=True):
            if seen[path].digest:
                groups[seen[path].digest].append((path, split, label))
    twins = Twins([], [], [])
    for group in groups.values():
        if len(group) > 1:
            labels = {label for _, _, label in group}
            splits = {split for _, split, _ in group}
            kind = twins.classes if len(labels) > 1 else twins.inside
            kind = twins.splits if len(labels) == 1 and len(splits) > 1 else kind
            kind.append([path for path, _, _ in group])
    return twins
