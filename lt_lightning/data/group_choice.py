"""Which groups of pictures are set aside: whole ones, as near to a share as can be."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

import numpy as np
import torch
from torch import Tensor

from lt_lightning.data.groups import Grouped

Contents = list[dict[int, int]]  # of each group, its images per class
_BITS = 10**9  # of memory for sums of sizes; 125 MB
_SWAPPED = 300  # groups, at most, of which all pairs are tried
_STARTS = 8


def choose_groups(grouped: Grouped, wanted: Tensor, seed: int) -> Tensor:
    """Return the images to set aside, ascending indices: whole groups, near to `wanted` images.

    Every class keeps an image. A class whose groups have pictures of it alone, two of them or
    more, gives the number that is nearest to what is wanted and above 0 (where its groups have too
    many different sizes for that, one that is off by less than its smallest group left). For groups
    of several classes the squared relative differences are made small, by single moves from one
    random start, or, of up to 3,000 groups, the best of 8; a class may then give none.

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


def _contents(grouped: Grouped, classes: int) -> tuple[Contents, list[int]]:
    contents: Contents = [{} for _ in range(int(grouped.groups.max()) + 1)]
    for group, label in zip(grouped.groups.tolist(), grouped.labels.tolist(), strict=True):
        contents[group][label] = contents[group].get(label, 0) + 1
    return contents, torch.bincount(grouped.labels, minlength=classes).tolist()


def _shared_classes(contents: Contents) -> set[int]:
    """Return the classes that are in a group with another one."""
    return {c for content in contents if len(content) > 1 for c in content}


def _nearest_sum(sizes: list[int], target: int) -> list[int]:
    """Return the places of sizes whose sum is nearest to `target`, above 0 and below their sum.

    Nothing is returned where there is no such sum. Where all sums are too many to be looked at, it
    is off by less than the smallest size that is left.
    """
    whole = sum(sizes)
    if len(sizes) < 2:
        return []
    taken = _in_order(sizes, target, whole)
    packs = _packs(sizes)
    if sum(sizes[k] for k in taken) == target or len(packs) * whole > _BITS:
        return taken
    reached = [1]  # bit s: a sum of s can be had of the first k packs
    for size, count in packs:
        reached.append(reached[-1] | reached[-1] << size * count)
    left = _nearest_bit(reached[-1] & ~1 & ~(1 << whole), target)
    wanted: dict[int, int] = defaultdict(int)
    for (size, count), before in zip(reversed(packs), reversed(reached[:-1]), strict=True):
        if not before >> left & 1:
            wanted[size] += count
            left -= size * count
    taken = []
    for k, size in enumerate(sizes):
        if wanted[size]:
            wanted[size] -= 1
            taken.append(k)
    return taken


def _in_order(sizes: list[int], target: int, whole: int) -> list[int]:
    """Return the places of sizes that fit into `target` one after the other, one at least."""
    total, taken = 0, []
    for k, size in enumerate(sizes):
        if total + size <= target:
            total += size
            taken.append(k)
    kept = sorted(set(range(len(sizes))).difference(taken), key=lambda k: sizes[k])
    if (
        kept
        and total + sizes[kept[0]] < whole
        and (not taken or total + sizes[kept[0]] - target < target - total)
    ):
        taken.append(kept[0])
    return taken


def _packs(sizes: list[int]) -> list[tuple[int, int]]:
    """Return sizes and counts, such that any number of one size is the sum of some of its counts.

    Thousands of groups have few sizes; with packs the work grows with these, not with the groups.
    """
    packs = []
    for size, number in Counter(sizes).items():
        count = 1
        while number:
            count = min(count, number)
            packs.append((size, count))
            number, count = number - count, 2 * count
    return packs


def _nearest_bit(bits: int, place: int) -> int:
    """Return the place of the bit nearest to `place`, of two the lower."""
    low = (bits & ((2 << place) - 1)).bit_length() - 1
    above = bits >> place
    high = place + (above & -above).bit_length() - 1
    if low < 0 or not above:
        return high if low < 0 else low
    return low if place - low <= high - place else high


class _Search:
    """Groups of several classes: groups are taken and given back while that helps.

    The error is the sum over classes of ((taken - target) / target)^2; what a move changes of it
    is told from the classes of the moved groups alone.
    """

    def __init__(self, contents: Contents, totals: list[int], targets: list[int]) -> None:
        self._contents = [list(content.items()) for content in contents]
        self._totals, self._targets = totals, targets
        self._weights = [1 / max(target, 1) ** 2 for target in targets]

    def error(self, chosen: AbstractSet[int]) -> float:
        """Return how far from the targets the classes are, from what nothing chosen would be."""
        taken, error = [0] * len(self._totals), 0.0
        for group in chosen:
            error += self._change(taken, self._contents[group]) or 0.0
            for c, count in self._contents[group]:
                taken[c] += count
        return error

    def _change(self, taken: list[int], deltas: Sequence[tuple[int, int]]) -> float | None:
        """Return by how much the error changes with more or fewer of classes; none if it may not.

        Args:
            taken: images of each class so far.
            deltas: classes, and images that are to be taken (+) or given back (-).
        """
        change = 0.0
        for c, count in deltas:
            before = taken[c]
            if count > 0 and before + count >= self._totals[c]:
                return None
            change += count * (2 * (before - self._targets[c]) + count) * self._weights[c]
        return change

    def start(self, groups: list[int], rng: np.random.Generator) -> set[int]:
        """Return a choice that no single move, and for few groups no exchange, makes better."""
        order = [groups[k] for k in rng.permutation(len(groups))]
        chosen: set[int] = set()
        taken = [0] * len(self._totals)
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

    def _move(self, taken: list[int], chosen: set[int], moves: list[tuple[int, int]]) -> bool:
        """Make moves (group, +1 or -1) where they lessen the error; return whether they did."""
        (group, sign), *others = moves
        content = self._contents[group]
        deltas = content if sign > 0 else [(c, -count) for c, count in content]
        if others:
            both = defaultdict(int, deltas)
            for other, its in others:
                for c, count in self._contents[other]:
                    both[c] += its * count
            deltas = list(both.items())
        change = self._change(taken, deltas)
        if change is None or change > -1e-9:
            return False
        for group, sign in moves:
            (chosen.add if sign > 0 else chosen.remove)(group)
        for c, count in deltas:
            taken[c] += count
        return True
