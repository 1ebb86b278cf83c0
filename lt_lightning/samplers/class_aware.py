"""Classes in turn, a few images of each."""

import torch
from torch import Tensor

from lt_lightning.errors import UserError
from lt_lightning.inputs import ClassCounts, wide_counts
from lt_lightning.samplers.base import SamplingRule, permutations, shares
from lt_lightning.samplers.class_index import ClassIndex


class ClassAware(SamplingRule):
    """Class-aware sampling: classes in shuffled cycles, k images of each, epoch cut to N.

    Each class gives its images in shuffled cycles without replacement; a class with fewer than k
    images repeats within its turn.

    Paper: Shen et al., Relay Backpropagation, ECCV 2016; Kang et al., Decoupling, ICLR 2020 (code,
    k = 4); Zhong et al., MiSLAS, CVPR 2021 (code, k = 4).

    Differs from the authors' code in that the cycles begin anew in every epoch and depend on the
    seed; theirs draw from Python's global generator and go on over epochs.

    Args:
        images_per_class: k, at least 1.

    Raises:
        UserError: if k is below 1.
    """

    def __init__(self, images_per_class: int = 4) -> None:
        if images_per_class < 1:
            raise UserError(f"images_per_class is {images_per_class}: give 1 or more.")
        self.images_per_class = images_per_class

    def class_probabilities(self, class_counts: ClassCounts, epoch: int, max_epochs: int) -> Tensor:
        """Return 1 / C."""
        return shares(wide_counts(class_counts) ** 0)

    def draw(
        self, index: ClassIndex, size: int, generator: torch.Generator, epoch: int, max_epochs: int
    ) -> Tensor:
        """Return the epoch; consecutive images come in runs of k of one class."""
        k, classes = self.images_per_class, len(index.counts)
        turns = -(-size // k)
        turn_class = permutations(classes, turns, generator)
        # Image number k * round + i of the endless sequence of its class.
        number = (torch.arange(turns)[:, None] // classes * k + torch.arange(k)).flatten()[:size]
        of_class = turn_class.repeat_interleave(k)[:size]
        sequence, begin = _cycles(index, -(-turns // classes) * k, generator)
        return sequence[begin[of_class] + number]


def _cycles(index: ClassIndex, length: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return shuffled cycles of every class, `length` images or more, and where each begins.

    One sort instead of a loop over classes or cycles: at most C * length + N entries.
    """
    counts = index.counts
    lengths = -(-length // counts) * counts
    begin = lengths.cumsum(0) - lengths
    of_class = torch.repeat_interleave(torch.arange(len(counts)), lengths)
    within = torch.arange(len(of_class)) - begin[of_class]
    first = torch.zeros_like(of_class)
    first[within % counts[of_class] == 0] = 1
    cycle = first.cumsum(0)
    shuffle = torch.randperm(len(of_class), generator=generator)
    shuffled = shuffle[torch.argsort(cycle[shuffle], stable=True)]
    members = index.order[index.start[of_class] + within % counts[of_class]]
    return members[shuffled], begin
