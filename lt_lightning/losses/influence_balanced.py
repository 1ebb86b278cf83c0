"""Influence-balanced loss: samples that move the boundary most count least."""

import torch
import torch.nn.functional as F
from torch import Tensor

from lt_lightning.inputs import ClassCounts
from lt_lightning.losses.base import Loss, Reduction
from lt_lightning.losses.checks import check_range
from lt_lightning.losses.weights import GeneralizedReweight, WeightRule


def influence_balanced_loss(
    logits: Tensor,
    targets: Tensor,
    features: Tensor,
    *,
    alpha: float = 1000.0,
    eps: float = 1e-3,
    detach: bool = False,
) -> Tensor:
    """Return alpha CE_i / (||p_i - y_i||_1 ||h_i||_1 + eps), (N,).

    Args:
        logits: (N, C).
        targets: int64 (N,).
        features: what enters the classifier, (N, D).
        alpha: a constant factor.
        eps: keeps the quotient finite.
        detach: whether the divisor is a constant for the gradient.
    """
    nll = F.cross_entropy(logits, targets, reduction="none")
    # sum_c |p_c - y_c| = (1 - p_y) + sum_{c != y} p_c = 2 (1 - p_y)
    error = -2.0 * torch.expm1(-nll)
    influence = error * features.abs().sum(dim=1)
    return alpha * nll / ((influence.detach() if detach else influence) + eps)


class InfluenceBalanced(Loss):
    """Cross-entropy divided by each sample's influence on the classifier.

    l_i = alpha CE(z_i, y_i) / (||p_i - y_i||_1 ||h_i||_1 + eps), with p_i = softmax(z_i), y_i
    one-hot and h_i the features; the divisor is the L1 norm of the gradient of CE with respect
    to the classifier's weights.

    Meant for the second half of training, after plain cross-entropy, with a learning rate about
    100 times smaller. It needs `features` in `forward`.

    Paper: Park et al., Influence-Balanced Loss for Imbalanced Visual Classification, ICCV 2021.

    Differs from the authors' code in nothing by default. Theirs also lets the gradient pass
    through the divisor, into probabilities and features; detach=True makes it a plain weight.

    Args:
        class_counts: training images per class, (C,).
        alpha: above 0; the authors train with 1000.
        eps: above 0.
        detach: whether the divisor is a constant for the gradient.
        weights: class weights, see `Loss`; the default is the authors', 1 / n_c with the sum C.
        reduction: see `Loss`; the authors divide by N, so the scale of alpha and of the weights
            acts as a learning-rate factor.

    Raises:
        UserError: if `alpha` or `eps` is not above 0.
    """

    needs_features = True

    def __init__(
        self,
        class_counts: ClassCounts,
        *,
        alpha: float = 1000.0,
        eps: float = 1e-3,
        detach: bool = False,
        weights: WeightRule | None = GeneralizedReweight(rho=1.0),
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(class_counts, weights=weights, reduction=reduction)
        self.alpha = check_range("alpha", alpha, open_low=True)
        self.eps = check_range("eps", eps, open_low=True)
        self.detach = self.stops_gradient = detach

    def per_sample(self, logits: Tensor, targets: Tensor, features: Tensor | None = None) -> Tensor:
        """Return the influence-balanced loss of each sample, (N,); `features` is needed."""
        assert features is not None, "Loss.forward has checked it"
        return influence_balanced_loss(
            logits, targets, features, alpha=self.alpha, eps=self.eps, detach=self.detach
        )
