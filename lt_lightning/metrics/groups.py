"""Which classes belong together: many, medium and few, or groups of any other name."""

from abc import ABC, abstractmethod
from collections.abc import Iterable

import torch

from lt_lightning.errors import UserError
from lt_lightning.inputs import ClassCounts, check_class_counts
from lt_lightning.metrics.names import ACC_MACRO, ACC_TOP5, ACC_WORST, group_acc

SHOTS = MANY, MEDIUM, FEW = "many", "medium", "few"  # of the rules here; others may give any names
_TAKEN = (ACC_MACRO, ACC_TOP5, ACC_WORST)


def check_names(names: Iterable[str]) -> None:
    """Refuse a group whose metric would have the name of another one, or none that can be read.

    Raises:
        UserError: with the name.
    """
    for name in names:
        taken = group_acc(name) in _TAKEN
        if taken or not name.strip() or not name.isprintable():
            what = "is the name of another metric" if taken else "cannot be shown"
            raise UserError(f"A group is called {name!a}, which {what}: give it another name.")


class GroupRule(ABC):
    """From training images per class to the classes of each group."""

    @abstractmethod
    def __call__(self, class_counts: ClassCounts) -> dict[str, list[int]]:
        """Return the class indices of each group; a group without classes is absent.

        Args:
            class_counts: training images per class, (C,), a tensor, an array or a list; 0 is
                allowed.
        """

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({given})"


class ShotGroups(GroupRule):
    """Groups by the number of training images: many > 100, medium 20 to 100, few < 20.

    Paper: Liu et al., Large-Scale Long-Tailed Recognition in an Open World, CVPR 2019.

    Differs from the authors' code in that a group without classes is absent; theirs reports 0 or
    NaN for it.

    Args:
        many_above: a class with more training images than this is in `many`.
        few_below: a class with fewer training images than this is in `few`.

    Raises:
        UserError: if a class could be in both.

    >>> ShotGroups()(torch.tensor([101, 100, 20, 19]))
    {'many': [0], 'medium': [1, 2], 'few': [3]}
    """

    def __init__(self, many_above: int = 100, few_below: int = 20) -> None:
        if few_below > many_above + 1:
            raise UserError(
                f"many_above is {many_above} and few_below is {few_below}, so that a class can be "
                "in both groups: give few_below at most many_above + 1."
            )
        self.many_above, self.few_below = many_above, few_below

    def __call__(self, class_counts: ClassCounts) -> dict[str, list[int]]:
        """Return the groups by count."""
        groups: dict[str, list[int]] = {MANY: [], MEDIUM: [], FEW: []}
        for index, count in enumerate(check_class_counts(class_counts, least=0).tolist()):
            if count > self.many_above:
                groups[MANY].append(index)
            elif count < self.few_below:
                groups[FEW].append(index)
            else:
                groups[MEDIUM].append(index)
        return {name: members for name, members in groups.items() if members}


class PositionalGroups(GroupRule):
    """Groups by rank: the 3 largest classes, the next 4, the last 3, whatever their counts.

    Some papers split CIFAR-10-LT so, because no class of it has fewer than 20 images. Classes are
    ranked by count, equal counts by index, so a data set whose classes already run from head to
    tail is cut at fixed indices.

    Args:
        sizes: classes per group from head to tail; none means many 3, medium 4, few 3.

    Raises:
        UserError: if a size is negative, if the sizes do not add up to the number of classes, or
            if a group has the name of another metric.

    >>> PositionalGroups({"many": 1, "few": 2})(torch.tensor([9, 5, 7]))
    {'many': [0], 'few': [1, 2]}
    """

    def __init__(self, sizes: dict[str, int] | None = None) -> None:
        self.sizes = {MANY: 3, MEDIUM: 4, FEW: 3} if sizes is None else dict(sizes)
        if any(size < 0 for size in self.sizes.values()):
            raise UserError(f"The group sizes {self.sizes} hold a negative one: give 0 or more.")
        check_names(self.sizes)

    def __call__(self, class_counts: ClassCounts) -> dict[str, list[int]]:
        """Return the groups by rank."""
        counts = check_class_counts(class_counts, least=0)
        total = sum(self.sizes.values())
        if total != len(counts):
            raise UserError(
                f"The group sizes {self.sizes} add up to {total} but there are "
                f"{len(counts)} classes: give sizes for all classes."
            )
        order = torch.argsort(counts, descending=True, stable=True).tolist()
        groups, start = {}, 0
        for name, size in self.sizes.items():
            if size:
                groups[name] = sorted(order[start : start + size])
            start += size
        return groups
