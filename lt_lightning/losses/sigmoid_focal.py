"""Focal loss over C one-against-all sigmoids."""

import math

import torch.nn.functional as F
from torch import Tensor

from lt_lightning.inputs import ClassCounts
from lt_lightning.losses.base import Loss, Reduction
from lt_lightning.losses.checks import check_range
from lt_lightning.losses.published import nearest_setting, ratio_of
from lt_lightning.losses.weights import WeightRule


def sigmoid_focal_loss(
    logits: Tensor,
    targets: Tensor,
    *,
    gamma: float = 2.0,
    alpha: float | None = None,
    detach: bool = False,
) -> Tensor:
    """Return -sum_j alpha_ij (1 - pt_ij)^gamma log pt_ij, (N,), over all classes j.

    pt_ij = sigmoid(z_ij) where j is the target and 1 - sigmoid(z_ij) elsewhere.

    Args:
        logits: (N, C).
        targets: int64 (N,).
        gamma: at least 0.
        alpha: in [0, 1]; alpha_ij is alpha at the target and 1 - alpha elsewhere; none is 1.
        detach: whether (1 - pt_ij)^gamma is a constant for the gradient.
    """
    positive = F.one_hot(targets, logits.shape[1]).to(logits.dtype)
    signed = (2.0 * positive - 1.0) * logits
    # (1 - pt)^gamma through its logarithm: no overflow, and no infinite slope at pt = 1
    factor = (gamma * F.logsigmoid(-signed)).exp()
    terms = -(factor.detach() if detach else factor) * F.logsigmoid(signed)
    if alpha is not None:
        terms = terms * (alpha * positive + (1.0 - alpha) * (1.0 - positive))
    return terms.sum(dim=1)


# (number of classes, imbalance ratio) -> gamma of the published class-balanced focal loss
_PUBLISHED_GAMMA: dict[tuple[int, float], float] = {
    (10, 100): 1.0,
    (10, 50): 2.0,
    (100, 100): 1.0,
    (100, 50): 1.0,
}


def recommended_gamma(num_classes: int, imbalance_ratio: float) -> float:
    """Return the gamma of the published class-balanced focal loss on the data set most alike.

    The nearest by log(C) and log(imbalance ratio) of CIFAR-10-LT, 1 at ratio 100 and 2 at 50, and
    CIFAR-100-LT, 1 at both (Bag of Tricks, CB-Focal; searched on test images).

    Args:
        num_classes: C, at least 1.
        imbalance_ratio: largest over smallest class count, at least 1.

    Raises:
        UserError: if an argument is below 1.

    >>> recommended_gamma(10, 50)
    2.0
    """
    return nearest_setting(_PUBLISHED_GAMMA, num_classes, imbalance_ratio)


def sigmoid_bias_init(num_classes: int) -> float:
    """Return -log(C - 1), the classifier bias at which each sigmoid starts at 1 / C.

    >>> round(sigmoid_bias_init(100), 4)
    -4.5951
    """
    return -math.log(max(num_classes - 1, 1))


class SigmoidFocal(Loss):
    """Focal loss on C sigmoids, one against all; the form in which CB-Focal was published.

    l_i = -sum_j alpha_ij (1 - pt_ij)^gamma log pt_ij, pt_ij = sigmoid(z_ij) if j = y_i, else
    1 - sigmoid(z_ij). gamma = 0 is binary cross-entropy. Predict with the largest logit.

    Bias: the authors start the classifier's bias at `sigmoid_bias_init(C)` and give it no weight
    decay, or the first steps are spent on C - 1 wrong negatives per image; `LinearHead` has
    bias_init="sigmoid" for the start. Bag of Tricks does neither.

    Reduction: "mean" by default, unlike the other losses, because the published form divides by
    N. So the scale of the class weights acts as a learning-rate factor.

    Paper: Lin et al., Focal Loss for Dense Object Detection, ICCV 2017; multi-class form of Cui
    et al., Class-Balanced Loss Based on Effective Number of Samples, CVPR 2019.

    Args:
        class_counts: training images per class, (C,).
        gamma: at least 0; none is `recommended_gamma`, which knows the published ones of CB-Focal
            by data set and ratio.
        alpha: balance of positives and negatives in [0, 1]; none, as Cui et al., is no balance.
        detach: whether (1 - pt_ij)^gamma is a constant for the gradient, a weight and no more.
        weights: class weights, see `Loss`; with `EffectiveNumber` this is CB-Focal.
        reduction: see `Loss`.

    Raises:
        UserError: if `gamma` or `alpha` is out of range.
    """

    def __init__(
        self,
        class_counts: ClassCounts,
        *,
        gamma: float | None = 2.0,
        alpha: float | None = None,
        detach: bool = False,
        weights: WeightRule | None = None,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(class_counts, weights=weights, reduction=reduction)
        if gamma is None:
            gamma = recommended_gamma(len(self.class_counts), ratio_of(self.class_counts))
        self.gamma = check_range("gamma", gamma)
        self.alpha = None if alpha is None else check_range("alpha", alpha, 0.0, 1.0)
        self.detach = self.stops_gradient = detach

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the focal loss of each sample, summed over the classes, (N,)."""
        return sigmoid_focal_loss(
            logits, targets, gamma=self.gamma, alpha=self.alpha, detach=self.detach
        )
