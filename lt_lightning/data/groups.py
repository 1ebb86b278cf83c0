"""Pictures that belong together, and what is said of them.

A track of one traffic sign, the pictures of one sender or of one patient are nearly alike: with
some of them trained on, the others say nothing of new ones.
"""

import itertools
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

import torch
from torch import Tensor

from lt_lightning.data.some_classes import some_of
from lt_lightning.errors import UserError, counted

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Grouped:
    """Which training images belong together.

    Attributes:
        labels: int64 (N,).
        groups: number of each image's group, int64 (N,).
    """

    labels: Tensor
    groups: Tensor


def numbered(groups: Sequence[str]) -> Tensor:
    """Return a number for each name of a group, int64 (N,), in the order in which they come."""
    numbers: dict[str, int] = {}
    return torch.tensor([numbers.setdefault(name, len(numbers)) for name in groups])


class NamedGroup:
    """The group of a file by its name, or by its path where the expression has a slash.

    Args:
        expression: a regular expression that is searched; its groups together are the name of the
            group, or all that it matches where it has none.

    Raises:
        UserError: if it is none.
    """

    def __init__(self, expression: str) -> None:
        try:
            self._pattern = re.compile(expression)
        except re.error as error:
            raise UserError(
                f"group_by is {expression!r}, which is no regular expression ({error}): give one "
                "such as '^(.*)_'."
            ) from error
        self._whole = "/" in expression

    def of(self, path: PurePath) -> str:
        """Return the group of a file.

        Args:
            path: below the folder of its split.

        Raises:
            UserError: if the name does not match.
        """
        found = self._find(path)
        if found is None:
            raise UserError(
                f"group_by {self._pattern.pattern!r} does not match {self._text(path)!r}, so it "
                "has no group: give an expression that every name matches."
            )
        return found

    def of_given(self, paths: Sequence[PurePath], split: str) -> list[str]:
        """Return the groups of files whose split is given.

        Of training images each must have one, for images are held out of them. A file of another
        split that does not match is a group of its own, which is said.

        Args:
            paths: below the folder of the split.
            split: its name.

        Raises:
            UserError: if the name of a training image does not match.
        """
        if split == "train":
            return [self.of(path) for path in paths]
        found = [self._find(path) for path in paths]
        lost = [path for path, group in zip(paths, found, strict=True) if group is None]
        if lost:
            log.warning(
                "group_by %r does not match %d of %d images of the %s split, such as %r: whether "
                "they belong to training images is not known.",
                self._pattern.pattern,
                len(lost),
                len(paths),
                split,
                self._text(lost[0]),
            )
        pairs = zip(paths, found, strict=True)
        return [f"\0{split}/{path}" if group is None else group for path, group in pairs]

    def _text(self, path: PurePath) -> str:
        return path.as_posix() if self._whole else path.name

    def _find(self, path: PurePath) -> str | None:
        found = self._pattern.search(self._text(path))
        if found is None:
            return None
        parts = [part or "" for part in found.groups()]
        name = "\0".join(parts) if any(parts) else found.group()
        return name or None  # what is empty names nothing


def of_images(labels: Tensor, groups: Sequence[object] | Tensor | None) -> str:
    """Return how many images, classes and, where they are known, groups there are, as words."""
    told = f"{len(labels)} images of {len(set(labels.tolist()))} classes"
    if groups is None:
        return told
    names = groups.tolist() if isinstance(groups, Tensor) else groups
    return f"{told} in {len(set(names))} groups"


def tell_shared(groups: Mapping[str, Sequence[str]]) -> None:
    """Say which groups have images in more than one split.

    Args:
        groups: by split, those of its images, where they are known.
    """
    for sentence in shared_groups(groups):
        log.warning("%s.", sentence)


def shared_groups(groups: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a sentence for each two splits that share groups, with their number and one of them.

    Args:
        groups: by split, those of its images, where they are known.
    """
    told = []
    for one, other in itertools.combinations(groups, 2):
        shared = sorted(set(groups[one]).intersection(groups[other]))
        if shared:
            told.append(
                f"{counted(len(shared), 'group has', 'groups have')} images in the {one} and in "
                f"the {other} split, such as {shared[0]!r}"
            )
    return told


def tell_groups(kept: Tensor, aside: Tensor, names: Sequence[str], what: str) -> None:
    """Say what share of the images was set aside, and name the classes that gave none.

    Args:
        kept: labels of the images that are not set aside.
        aside: labels of those that are.
        names: C names.
        what: what they become.
    """
    taken = torch.bincount(aside, minlength=len(names))
    total = torch.bincount(kept, minlength=len(names)) + taken
    shares = (taken / total.clamp_min(1))[total > 0]
    log.info(
        "%s has %d of %d images in whole groups, %.3f; between %.3f and %.3f of a class.",
        what,
        len(aside),
        len(aside) + len(kept),
        len(aside) / max(len(aside) + len(kept), 1),
        float(shares.min()),
        float(shares.max()),
    )
    none = ((taken == 0) & (total > 0)).nonzero().flatten().tolist()
    if none:
        log.warning(
            "%s has no image of %s (%s), for their images are of one group or cannot be "
            "parted from those of a class that must keep some.",
            what,
            counted(len(none), "class", "classes"),
            some_of(none, names),
        )
