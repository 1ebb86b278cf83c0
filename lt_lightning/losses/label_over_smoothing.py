"""Label over-smoothing: targets that are hardly more than uniform."""

from lt_lightning.inputs import ClassCounts
from lt_lightning.losses.base import Reduction
from lt_lightning.losses.checks import check_range
from lt_lightning.losses.label_smoothing import LabelSmoothing
from lt_lightning.losses.weights import WeightRule


class LabelOverSmoothing(LabelSmoothing):
    """Label over-smoothing (LOS): targets of a little more than 1 / C, all others a little less.

    l_i = (1 - delta) (-log p_i[y_i]) + delta mean_j(-log p_ij), delta near 1

    The true class gets 1 - delta + delta / C: 0.118 of 10 classes, 0.0298 of 100. The logits that
    it leads to are small and alike in size over the classes, so confidences are near 1 / C by
    design: calibrate before they are read. What is left of the class sizes in them is as small, so
    that logit adjustment does not go behind it. It is `LabelSmoothing` with eps = delta, made for a
    second stage that trains the classifier of the first one on, on images drawn as they are.

    Paper: Sun et al., Rethinking Classifier Re-Training in Long-Tailed Recognition: Label
    Over-Smooth Can Balance, ICLR 2025.

    Differs from the authors' code in nothing; delta is its label_smooth.

    Args:
        class_counts: training images per class, (C,); the value does not depend on them.
        delta: in [0, 1]; 0.98 is theirs. 1 teaches nothing.
        weights: class weights, see `Loss`.
        reduction: see `Loss`.

    Raises:
        UserError: if `delta` is outside [0, 1].
    """

    def __init__(
        self,
        class_counts: ClassCounts,
        *,
        delta: float = 0.98,
        weights: WeightRule | None = None,
        reduction: Reduction = "weighted_mean",
    ) -> None:
        checked = check_range("delta", delta, 0.0, 1.0)
        super().__init__(class_counts, eps=checked, weights=weights, reduction=reduction)
        self.delta = checked
