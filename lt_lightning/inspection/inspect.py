"""The findings about a source of image files."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from lt_lightning.data import FileImages, Source
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
        counts: by split, the images of each class.
        sizes: width and height of the pictures that can be read.
        faults: those that cannot be used.
        twins: pictures that are there several times.
        confusable: pairs of class names, and what alone tells them apart.
    """

    names: list[str]
    counts: dict[str, list[int]]
    sizes: list[tuple[int, int]]
    faults: list[Seen]
    twins: Twins
    confusable: list[tuple[str, str, str]]

    @property
    def absent(self) -> dict[str, list[str]]:
        """By split, the classes without an image."""
        pairs = {split: zip(self.names, c, strict=True) for split, c in self.counts.items()}
        return {split: [name for name, n in found if not n] for split, found in pairs.items()}


def inspect(source: Source, root: Path) -> Inspection:
    """Look at all pictures of a source.

    Raises:
        UserError: if the source refuses the folder.
    """
    names = source.class_names(root)
    places: list[tuple[str, int]] = []
    paths: list[Path] = []
    counts = {}
    for split, images in source.load(root).items():
        assert isinstance(images, FileImages)
        counts[split] = torch.bincount(images.labels, minlength=len(names)).tolist()
        places += [(split, label) for label in images.labels.tolist()]
        paths += images.paths
    seen = look_at(paths, root, source.reading)
    return Inspection(
        names,
        counts,
        [(one.width, one.height) for one in seen if not one.fault],
        [one for one in seen if one.fault],
        _twins(seen, places),
        confusable(names),
    )


def _twins(seen: Sequence[Seen], places: Sequence[tuple[str, int]]) -> Twins:
    groups = defaultdict(list)
    for one, place in zip(seen, places, strict=True):
        if one.digest:
            groups[one.digest].append((one.path, *place))
    twins = Twins([], [], [])
    for group in groups.values():
        if len(group) > 1:
            labels = {label for _, _, label in group}
            splits = {split for _, split, _ in group}
            kind = twins.classes if len(labels) > 1 else twins.inside
            kind = twins.splits if len(labels) == 1 and len(splits) > 1 else kind
            kind.append([path for path, _, _ in group])
    return twins
