"""Pictures that are there several times, pixel by pixel."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lt_lightning.data.picture_files import Labelled


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


def twins_of(
    splits: Mapping[str, Labelled], digests: Mapping[str, Sequence[str | int | None]]
) -> Twins:
    """Return the files whose pixels are equal.

    Args:
        splits: the files of each split.
        digests: by split, that of the pixels of each of its files; none where they are not known.
    """
    groups = defaultdict(list)
    for split, known in digests.items():
        files = splits[split]
        for path, label, digest in zip(files.paths, files.labels, known, strict=True):
            if digest is not None:
                groups[digest].append((path, split, label))
    twins = Twins([], [], [])
    for group in groups.values():
        if len(group) > 1:
            labels = {label for _, _, label in group}
            found_in = {split for _, split, _ in group}
            kind = twins.classes if len(labels) > 1 else twins.inside
            kind = twins.splits if len(labels) == 1 and len(found_in) > 1 else kind
            kind.append([path for path, _, _ in group])
    return twins
