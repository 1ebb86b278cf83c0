"""Logit adjustment in training: the log-prior is added to the logits."""

import torch.nn.functional as F
from torch import Tensor

from lt_lightning.inputs import ClassCounts, wide_counts
from lt_lightning.losses.base import Loss, Reduction
from lt_lightning.losses.checks import check_range
from lt_lightning.losses.weights import WeightRule


def log_prior(class_counts: ClassCounts) -> Tensor:
    """Return log(n_c / N), natural logarithm, float64 (C,)."""
    counts = wide_counts(class_counts)
    return counts.log() - counts.sum().log()


def logit_adjusted_loss(logits: Tensor, targets: Tensor, adjustment: Tensor) -> Tensor:
    """Return CE(z + adjustment, y), (N,).

    Args:
        logits: (N, C).
        targets: int64 (N,).
        adjustment: tau times the log-prior, (C,).
    """
    return F.cross_entropy(logits + adjustment.to(logits.dtype), targets, reduction="none")


class LogitAdjustment(Loss):
    """Cross-entropy on logits plus tau * log-prior; at test the bare logits are used.

    l_i = CE(z_i + tau log(n / N), y_i). tau = 0 is cross-entropy.

    Give it the prior of the images as they are drawn. With a sampler whose class probability is
    proportional to n^q use tau * q; with a class-balanced sampler (q = 0) the tail would be
    compensated twice. Do not add post-hoc adjustment on top.

    Paper: Menon et al., Long-Tail Learning via Logit Adjustment, ICLR 2021, Section 5.

    Differs from the authors' code in log(prior^tau + 1e-12), which is wrong for large tau; here
    tau * log(prior) is computed in float64.

    Args:
        class_counts: training images per class, (C,).
        tau: at least 0; 1 is canonical and consistent for the balanced error.
        weights: class weights, see `Loss`.
        reduction: see `Loss`.

    Raises:
        UserError: if `tau` is negative.
    """

    adjustment: Tensor

    def __init__(
        self,
        class_counts: ClassCounts,
        *,
        tau: float = 1.0,
        weights: WeightRule | None = None,
        reduction: Reduction = "weighted_mean",
    ) -> None:
        super().__init__(class_counts, weights=weights, reduction=reduction)
        self.corrects_prior = tau > 0
        self.table("adjustment", check_range("tau", tau) * log_prior(self.class_counts))

    def assumed(self, log_shares: Tensor) -> Tensor:
        """Return the shares as drawn, less tau log(n / N)."""
        return log_shares - self.adjustment.double().cpu()

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the adjusted cross-entropy of each sample, (N,)."""
        return logit_adjusted_loss(logits, targets, self.adjustment)
