"""Classes by the square root of their size."""

from torch import Tensor

from lt_lightning.inputs import ClassCounts, wide_counts
from lt_lightning.samplers.base import ClassRule, shares


class SquareRoot(ClassRule):
    """Square-root sampling (q = 0.5): P_j = sqrt(n_j) / sum_i sqrt(n_i).

    Paper: Mahajan et al., Exploring the Limits of Weakly Supervised Pretraining, ECCV 2018; Kang
    et al., Decoupling, ICLR 2020, section 3.
    """

    def class_probabilities(self, class_counts: ClassCounts, epoch: int, max_epochs: int) -> Tensor:
        """Return sqrt(n_j) / sum_i sqrt(n_i)."""
        return shares(wide_counts(class_counts) ** 0.5)
