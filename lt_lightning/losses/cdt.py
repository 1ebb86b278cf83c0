"""Class-dependent temperatures: vector scaling without offsets."""

from lt_lightning.inputs import ClassCounts
from lt_lightning.losses.base import Reduction
from lt_lightning.losses.vector_scaling import VectorScaling
from lt_lightning.losses.weights import WeightRule


class CDT(VectorScaling):
    """Class-dependent temperatures: exactly `VectorScaling` with tau = 0.

    l_i = CE( z_ij / a_j, y_i ), a_j = (n_max / n_j)^gamma >= 1, in training only. A rare class
    needs larger logits to reach the same loss. gamma = 0 is cross-entropy.

    Paper: Ye et al., Identifying and Compensating for Feature Deviation in Imbalanced Deep
    Learning, arXiv 2020.

    Args:
        class_counts: training images per class, (C,).
        gamma: at least 0; tried ranges are [0, 0.4] on CIFAR-10-LT, [0, 0.2] on CIFAR-100-LT.
        weights: class weights, see `Loss`.
        reduction: see `Loss`.

    Raises:
        UserError: if `gamma` is negative.
    """

    def __init__(
        self,
        class_counts: ClassCounts,
        *,
        gamma: float = 0.2,
        weights: WeightRule | None = None,
        reduction: Reduction = "weighted_mean",
    ) -> None:
        super().__init__(class_counts, gamma=gamma, tau=0.0, weights=weights, reduction=reduction)
