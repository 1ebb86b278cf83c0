"""Large classes cut to the size of the smallest."""

import torch
from torch import Tensor

from lt_lightning.inputs import ClassCounts, check_seed, wide_counts
from lt_lightning.samplers.base import SamplingRule, permutations, shares
from lt_lightning.samplers.class_index import ClassIndex
from lt_lightning.samplers.over_sampling import shuffled_within_classes


class UnderSampling(SamplingRule):
    """Random under-sampling: every class cut to n_min images; the epoch has C n_min.

    Paper: described in Zhang et al., Bag of Tricks for Long-Tailed Visual Recognition, AAAI 2021.

    Args:
        redraw: take other images in every epoch; else the images of the first epoch, so that the
            rest is never seen.
        seed: which images are kept where they are not drawn again.
        keep_epoch: leave the epoch at N images, as the other samplers have it, so that the images
            that are kept come several times.

    Raises:
        UserError: if the seed is out of range.
    """

    def __init__(self, redraw: bool = True, seed: int = 0, keep_epoch: bool = False) -> None:
        self.redraw, self.seed, self.keep_epoch = redraw, check_seed("seed", seed), keep_epoch
        self.leaves_images_out = not redraw

    def epoch_length(self, index: ClassIndex) -> int:
        """Return C n_min, or N."""
        return len(index) if self.keep_epoch else len(index.counts) * int(index.counts.min())

    def class_probabilities(self, class_counts: ClassCounts, epoch: int, max_epochs: int) -> Tensor:
        """Return 1 / C."""
        return shares(wide_counts(class_counts) ** 0)

    def draw(
        self, index: ClassIndex, size: int, generator: torch.Generator, epoch: int, max_epochs: int
    ) -> Tensor:
        """Return n_min images of each class, shuffled."""
        n_min = int(index.counts.min())
        fixed = torch.Generator().manual_seed(self.seed)
        order = shuffled_within_classes(index, generator if self.redraw else fixed)
        kept = order[(index.start[:, None] + torch.arange(n_min)).flatten()]
        return kept[permutations(len(kept), size, generator)]
