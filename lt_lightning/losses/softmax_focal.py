"""Focal loss on the softmax probability of the target."""

import torch
import torch.nn.functional as F
from torch import Tensor

from lt_lightning.inputs import ClassCounts
from lt_lightning.losses.base import Loss, Reduction
from lt_lightning.losses.checks import check_range
from lt_lightning.losses.weights import WeightRule


def softmax_focal_loss(
    logits: Tensor,
    targets: Tensor,
    *,
    gamma: float = 2.0,
    alpha: float = 1.0,
    detach: bool = False,
) -> Tensor:
    """Return alpha (1 - p_i)^gamma (-log p_i), (N,), with p_i the target's softmax.

    Args:
        logits: (N, C).
        targets: int64 (N,).
        gamma: at least 0.
        alpha: a constant factor.
        detach: whether (1 - p_i)^gamma is a constant for the gradient.
    """
    nll = F.cross_entropy(logits, targets, reduction="none")
    # 1 - p without cancellation; the floor keeps the gradient finite at p = 1 for gamma < 1, and
    # also holds where rounding makes the cross-entropy slightly negative
    miss = (-torch.expm1(-nll)).clamp_min(1e-12)
    factor = miss**gamma
    return alpha * (factor.detach() if detach else factor) * nll


class SoftmaxFocal(Loss):
    """Focal loss on softmax: cross-entropy, with less weight on what is already right.

    l_i = alpha (1 - p_i)^gamma (-log p_i), p_i = softmax(z_i)[y_i]. gamma = 0 is cross-entropy.
    The per-class alpha of the paper is a weight rule: with `EffectiveNumber` this is
    class-balanced focal loss. p_i never depends on the weights.

    Paper: Lin et al., Focal Loss for Dense Object Detection, ICCV 2017; in the softmax form of
    Cao et al., NeurIPS 2019 (LDAM), code.

    Differs from the authors' code in LDAM-DRW, which reads p from the weighted cross-entropy.

    Args:
        class_counts: training images per class, (C,).
        gamma: at least 0; 1 and 2 are common on CIFAR-LT.
        alpha: a constant factor, above 0.
        detach: whether (1 - p_i)^gamma is a constant for the gradient, a weight per image and no
            more, as some codes have it; the paper differentiates it.
        weights: class weights, see `Loss`.
        reduction: see `Loss`.

    Raises:
        UserError: if `gamma` or `alpha` is out of range.
    """

    def __init__(
        self,
        class_counts: ClassCounts,
        *,
        gamma: float = 2.0,
        alpha: float = 1.0,
        detach: bool = False,
        weights: WeightRule | None = None,
        reduction: Reduction = "weighted_mean",
    ) -> None:
        super().__init__(class_counts, weights=weights, reduction=reduction)
        self.gamma = check_range("gamma", gamma)
        self.alpha = check_range("alpha", alpha, open_low=True)
        self.detach = self.stops_gradient = detach

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the focal loss of each sample, (N,)."""
        return softmax_focal_loss(
            logits, targets, gamma=self.gamma, alpha=self.alpha, detach=self.detach
        )
