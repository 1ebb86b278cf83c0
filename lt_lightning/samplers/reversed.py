"""Rare classes more often than frequent ones."""

from torch import Tensor

from lt_lightning.inputs import ClassCounts, wide_counts
from lt_lightning.samplers.base import ClassRule, shares


class Reversed(ClassRule):
    """Reversed sampling: P_j = w_j / sum_i w_i with w_j = n_max / n_j; tail classes lead.

    Paper: Zhou et al., BBN, CVPR 2020, section 4.3.

    Differs from the authors' code in that the draw is one global draw per epoch; theirs draws
    within the data set with the process's own generator.
    """

    def class_probabilities(self, class_counts: ClassCounts, epoch: int, max_epochs: int) -> Tensor:
        """Return (1 / n_j) / sum_i (1 / n_i)."""
        return shares(1.0 / wide_counts(class_counts))
