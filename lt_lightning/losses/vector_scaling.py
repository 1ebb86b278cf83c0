"""Vector scaling: a temperature and an offset per class."""

import torch
import torch.nn.functional as F
from torch import Tensor

from lt_lightning.inputs import ClassCounts
from lt_lightning.losses.base import Loss, Reduction
from lt_lightning.losses.checks import check_range
from lt_lightning.losses.logit_adjustment import log_prior
from lt_lightning.losses.weights import WeightRule


def vector_scaling_loss(
    logits: Tensor, targets: Tensor, factors: Tensor, offsets: Tensor
) -> Tensor:
    """Return CE(factor_j z_j + offset_j, y), (N,).

    Args:
        logits: (N, C).
        targets: int64 (N,).
        factors: (C,).
        offsets: (C,).
    """
    scaled = logits * factors.to(logits.dtype) + offsets.to(logits.dtype)
    return F.cross_entropy(scaled, targets, reduction="none")


class VectorScaling(Loss):
    """Cross-entropy with a temperature and an offset per class, in training only.

    l_i = CE( (n_j / n_max)^gamma z_ij + tau log(n_j / N), y_i ). gamma = 0 is logit adjustment,
    tau = 0 is CDT, both 0 is cross-entropy. At test the bare logits are used.

    Paper: Kini et al., Label-Imbalanced and Group-Sensitive Classification under
    Overparameterization, NeurIPS 2021.

    Args:
        class_counts: training images per class, (C,).
        gamma: strength of the temperatures, at least 0. The authors' code has 0.3 by default and
            0.2 in its CIFAR-10-LT example.
        tau: strength of the offsets, at least 0.
        weights: class weights, see `Loss`.
        reduction: see `Loss`.

    Raises:
        UserError: if `gamma` or `tau` is negative.
    """

    factors: Tensor
    offsets: Tensor

    def __init__(
        self,
        class_counts: ClassCounts,
        *,
        gamma: float = 0.3,
        tau: float = 1.0,
        weights: WeightRule | None = None,
        reduction: Reduction = "weighted_mean",
    ) -> None:
        super().__init__(class_counts, weights=weights, reduction=reduction)
        counts = self.class_counts.to(torch.float64)
        self.table("factors", (counts / counts.max()) ** check_range("gamma", gamma))
        self.corrects_prior = tau > 0
        self.table("offsets", check_range("tau", tau) * log_prior(self.class_counts))

    def assumed(self, log_shares: Tensor) -> Tensor:
        """Return the smallest logits z with softmax(factor_j z_j + offset_j) = the shares as drawn.

        Adding k / factor_j to them changes no value; training from 0 leads to the smallest.
        """
        factors = self.factors.double().cpu()
        found, free = (log_shares - self.offsets.double().cpu()) / factors, 1 / factors
        return found - free * (found @ free) / (free @ free)

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy of the scaled logits of each sample, (N,)."""
        return vector_scaling_loss(logits, targets, self.factors, self.offsets)
