"""Every image once."""

import torch
from torch import Tensor

from lt_lightning.inputs import ClassCounts, wide_counts
from lt_lightning.samplers.base import SamplingRule, permutations, shares
from lt_lightning.samplers.class_index import ClassIndex


class InstanceBalanced(SamplingRule):
    """Instance-balanced sampling (q = 1): every image exactly once per epoch, shuffled.

    P_j = n_j / N.

    Paper: the usual shuffle; named in Kang et al., Decoupling, ICLR 2020, section 3.
    """

    def class_probabilities(self, class_counts: ClassCounts, epoch: int, max_epochs: int) -> Tensor:
        """Return n_j / N."""
        return shares(wide_counts(class_counts))

    def draw(
        self, index: ClassIndex, size: int, generator: torch.Generator, epoch: int, max_epochs: int
    ) -> Tensor:
        """Return a permutation; several, the last one cut, where `size` is above N."""
        return permutations(len(index), size, generator)
