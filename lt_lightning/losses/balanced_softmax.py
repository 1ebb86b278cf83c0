"""Balanced Softmax: logit adjustment with tau = 1."""

from lt_lightning.inputs import ClassCounts
from lt_lightning.losses.base import Reduction
from lt_lightning.losses.logit_adjustment import LogitAdjustment
from lt_lightning.losses.weights import WeightRule


class BalancedSoftmax(LogitAdjustment):
    """Softmax weighted by class counts: exactly `LogitAdjustment` with tau = 1.

    l_i = -log( n[y_i] exp(z_i[y_i]) / sum_j n_j exp(z_ij) ) = CE(z_i + log n, y_i).

    log n and the log-prior differ by a constant, which softmax ignores, so value and gradient
    are those of `LogitAdjustment(tau=1)`; published differences come from the recipes.

    Paper: Ren et al., Balanced Meta-Softmax for Long-Tailed Visual Recognition, NeurIPS 2020.

    Args:
        class_counts: training images per class, (C,).
        weights: class weights, see `Loss`.
        reduction: see `Loss`.
    """

    def __init__(
        self,
        class_counts: ClassCounts,
        *,
        weights: WeightRule | None = None,
        reduction: Reduction = "weighted_mean",
    ) -> None:
        super().__init__(class_counts, tau=1.0, weights=weights, reduction=reduction)
