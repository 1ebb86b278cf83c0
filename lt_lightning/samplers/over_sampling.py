"""Small classes repeated up to the size of the largest."""

import torch
from torch import Tensor

from lt_lightning.inputs import ClassCounts, wide_counts
from lt_lightning.samplers.base import SamplingRule, permutations, shares
from lt_lightning.samplers.class_index import ClassIndex


class OverSampling(SamplingRule):
    """Random over-sampling: every class repeated to n_max images; the epoch has C n_max.

    The images of a class are used equally often, up to one; a shorter epoch takes a random part.

    Paper: described in Zhang et al., Bag of Tricks for Long-Tailed Visual Recognition, AAAI 2021.

    Args:
        keep_epoch: leave the epoch at N images, as the other samplers have it.
    """

    def __init__(self, keep_epoch: bool = False) -> None:
        self.keep_epoch = keep_epoch

    def epoch_length(self, index: ClassIndex) -> int:
        """Return C n_max, or N."""
        return len(index) if self.keep_epoch else len(index.counts) * int(index.counts.max())

    def class_probabilities(self, class_counts: ClassCounts, epoch: int, max_epochs: int) -> Tensor:
        """Return 1 / C."""
        return shares(wide_counts(class_counts) ** 0)

    def draw(
        self, index: ClassIndex, size: int, generator: torch.Generator, epoch: int, max_epochs: int
    ) -> Tensor:
        """Return whole rounds of each class plus a random part of it, shuffled."""
        n_max = int(index.counts.max())
        # A random order within each class, so that the part of the last round is random.
        order = shuffled_within_classes(index, generator)
        # Place i of the long epoch is copy i % n_max of class i // n_max.
        places = permutations(len(index.counts) * n_max, size, generator)
        classes = places // n_max
        return order[index.start[classes] + places % n_max % index.counts[classes]]


def shuffled_within_classes(index: ClassIndex, generator: torch.Generator) -> Tensor:
    """Return `index.order` with the images of each class in a random order, without a loop."""
    classes = torch.repeat_interleave(torch.arange(len(index.counts)), index.counts)
    shuffle = torch.randperm(len(index), generator=generator)
    return index.order[shuffle[torch.argsort(classes[shuffle], stable=True)]]
