"""Pictures that belong together: whole groups of them are set aside, as near to a share as can be.

A track of one traffic sign, the pictures of one sender or of one patient are nearly alike: with
some of them trained on, the others say nothing of new ones.
"""

import itertools
import logging
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
import torch
from torch import Tensor

from lt_lightning.errors import UserError

log = logging.getLogger(__name__)
Contents = list[dict[int, int]]  # of each group, its images per class
_BITS = 4 * 10**8  # of memory for sums of sizes; 50 MB
_SWAPPED = 300  # groups, at most, of which all pairs are tried
_STARTS = 8


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
        return [f"\0{path}" if group is None else group for path, group in pairs]

    def _text(self, path: PurePath) -> str:
        return path.as_posix() if self._whole else path.name

    def _find(self, path: PurePath) -> str | None:
        found = self._pattern.search(self._text(path))
        if found is None:
            return None
        return "\0".join(part or "" for part in found.groups()) or found.group()


def choose_groups(grouped: Grouped, wanted: Tensor, seed: int) -> Tensor:
    """Return the images to set aside, ascending indices: whole groups, near to `wanted` images.

    Every class keeps an image. A class whose groups have pictures of it alone gets the number that
    is nearest to what is wanted, one at least; for groups of several classes the squared relative
    differences are made small, in some random starts.

    Args:
        grouped: labels and groups.
        wanted: images to set aside of each class, int64 (C,).
        seed: which of them, where there is a choice.
    """
    contents, totals = _contents(grouped, len(wanted))
    targets = [
        min(count, max(total - 1, 0)) for count, total in zip(wanted.tolist(), totals, strict=True)
    ]
    rng = np.random.default_rng(seed)
    shared = _shared_classes(contents)
    chosen: set[int] = set()
    pure: dict[int, list[int]] = defaultdict(list)
    for group, content in enumerate(contents):
        for c in content:
            if c not in shared:
                pure[c].append(group)
    for c in sorted(pure):
        order = [pure[c][k] for k in rng.permutation(len(pure[c]))]
        sizes = [contents[group][c] for group in order]
        chosen.update(order[k] for k in _nearest_sum(sizes, targets[c]))
    mixed = [g for g, content in enumerate(contents) if shared.intersection(content)]
    if mixed:
        search = _Search(contents, totals, targets)
        starts = _STARTS if len(mixed) <= 10 * _SWAPPED else 1
        found = [search.start(mixed, rng) for _ in range(starts)]
        chosen |= min(found, key=lambda groups: search.error(groups))
    picked = torch.isin(grouped.groups, torch.tensor(sorted(chosen), dtype=torch.int64))
    return picked.nonzero().flatten()


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
    for one, other in itertools.combinations(groups, 2):
        shared = sorted(set(groups[one]).intersection(groups[other]))
        if shared:
            log.warning(
                "%d groups have images in the %s and in the %s split, such as %r.",
                len(shared),
                one,
                other,
                shared[0],
            )


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
    none = [names[c] for c in ((taken == 0) & (total > 0)).nonzero().flatten().tolist()]
    if none:
        told = ", ".join(map(repr, none[:5])) + (", ..." if len(none) > 5 else "")
        log.warning(
            "%s has no image of %d classes (%s), for their images are of one group or cannot be "
            "parted from those of a class that must keep some.",
            what,
            len(none),
            told,
        )


def _contents(grouped: Grouped, classes: int) -> tuple[Contents, list[int]]:
    contents: Contents = [{} for _ in range(int(grouped.groups.max()) + 1)]
    for group, label in zip(grouped.groups.tolist(), grouped.labels.tolist(), strict=True):
        contents[group][label] = contents[group].get(label, 0) + 1
    return contents, torch.bincount(grouped.labels, minlength=classes).tolist()


def _shared_classes(contents: Contents) -> set[int]:
    """Return the classes that are in a group with another one."""
    return {c for content in contents if len(content) > 1 for c in content}


def _nearest_sum(sizes: list[int], target: int) -> list[int]:
    """Return the places of sizes whose sum is nearest to `target`, above 0 and below their sum."""
    total, taken = 0, []
    for k, size in enumerate(sizes):
        if total + size <= target:
            total += size
            taken.append(k)
    whole = sum(sizes)
    if total == target or len(sizes) < 2 or len(sizes) * whole > _BITS:
        return taken if total < whole else []
    reached = [1]  # bit s: a sum of s can be had of the first k sizes
    for size in sizes:
        reached.append(reached[-1] | reached[-1] << size)
    sums = [s for s in range(1, whole) if reached[-1] >> s & 1]
    left, taken = min(sums, key=lambda s: (abs(s - target), s)), []
    for k in range(len(sizes) - 1, -1, -1):
        if not reached[k] >> left & 1:
            taken.append(k)
            left -= sizes[k]
    return taken


class _Search:
    """Groups of several classes: groups are taken and given back while that helps."""

    def __init__(self, contents: Contents, totals: list[int], targets: list[int]) -> None:
        self.contents, self.totals, self.targets = contents, totals, targets

    def _off(self, c: int, count: int) -> float:
        return ((count - self.targets[c]) / max(self.targets[c], 1)) ** 2

    def _taken(self, chosen: AbstractSet[int]) -> dict[int, int]:
        taken: dict[int, int] = defaultdict(int)
        for group in chosen:
            for c, count in self.contents[group].items():
                taken[c] += count
        return taken

    def error(self, chosen: AbstractSet[int]) -> float:
        """Return how far from the targets the classes with a shared group are."""
        taken = self._taken(chosen)
        return sum(self._off(c, taken[c]) - self._off(c, 0) for c in taken)

    def _change(self, taken: dict[int, int], moves: list[tuple[int, int]]) -> float | None:
        """Return by how much moves (group, +1 or -1) change the error; none where they may not."""
        delta: dict[int, int] = defaultdict(int)
        for group, sign in moves:
            for c, count in self.contents[group].items():
                delta[c] += sign * count
        change = 0.0
        for c, count in delta.items():
            if count > 0 and taken[c] + count >= self.totals[c]:
                return None
            change += self._off(c, taken[c] + count) - self._off(c, taken[c])
        return change

    def start(self, groups: list[int], rng: np.random.Generator) -> set[int]:
        """Return a choice that no single move, and for few groups no exchange, makes better."""
        order = [groups[k] for k in rng.permutation(len(groups))]
        chosen: set[int] = set()
        taken = self._taken(chosen)
        better = True
        while better:
            better = False
            for group in order:
                better |= self._move(taken, chosen, [(group, -1 if group in chosen else 1)])
            if not better and len(order) <= _SWAPPED:
                for out in [group for group in order if group in chosen]:
                    for into in order:
                        if out in chosen and into not in chosen:
                            better |= self._move(taken, chosen, [(out, -1), (into, 1)])
        return chosen

    def _move(self, taken: dict[int, int], chosen: set[int], moves: list[tuple[int, int]]) -> bool:
        change = self._change(taken, moves)
        if change is None or change > -1e-9:
            return False
        for group, sign in moves:
            (chosen.add if sign > 0 else chosen.remove)(group)
            for c, count in self.contents[group].items():
                taken[c] += sign * count
        return True
