"""Label smoothing, with one amount for all classes."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from lt_lightning.inputs import ClassCounts, wide_counts
from lt_lightning.losses.base import Loss, Reduction
from lt_lightning.losses.checks import check_choice, check_range
from lt_lightning.losses.weights import WeightRule

Spread = Literal["all", "others"]


def smoothed_cross_entropy(
    logits: Tensor, targets: Tensor, eps: Tensor | float, *, spread: Spread = "all"
) -> Tensor:
    """Return the cross-entropy against smoothed targets, (N,).

    spread="all": the target has 1 - eps + eps / C, every other class eps / C.
    spread="others": the target has 1 - eps, every other class eps / (C - 1).

    Args:
        logits: (N, C).
        targets: int64 (N,).
        eps: the amount of smoothing in [0, 1], one number or (N,).
        spread: over which classes eps is spread.
    """
    minus_log = -F.log_softmax(logits, dim=1)
    nll = minus_log.gather(1, targets[:, None]).squeeze(1)
    if spread == "all":
        rest = minus_log.mean(dim=1)
    else:
        rest = (minus_log.sum(dim=1) - nll) / max(logits.shape[1] - 1, 1)
    return (1.0 - eps) * nll + eps * rest


def smoothed_log_shares(
    log_shares: Tensor, eps: Tensor | float, *, spread: Spread = "all"
) -> Tensor:
    """Return the log of the mean of the smoothed targets, float64 (C,).

    Args:
        log_shares: of the images by class, (C,).
        eps: the amount of smoothing in [0, 1], one number or (C,).
        spread: over which classes eps is spread.
    """
    shares = log_shares.double().exp()
    given = eps * shares
    if spread == "all":
        rest = given.sum() / len(shares)
    else:
        rest = (given.sum() - given) / max(len(shares) - 1, 1)
    return (shares - given + rest).log()


def is_mostly_even(
    class_counts: ClassCounts, eps: Tensor | float, *, spread: Spread = "all"
) -> bool:
    """Return whether most of what smoothed targets teach is the same for all classes.

    Args:
        class_counts: training images per class, (C,).
        eps: as for `smoothed_log_shares`.
        spread: as for `smoothed_log_shares`.
    """
    counts = wide_counts(class_counts)
    part = float((counts / counts.sum() * torch.as_tensor(eps)).sum())
    # eps over the others is eps C / (C - 1) over all
    return part > (0.5 if spread == "all" else 0.5 * (1 - 1 / len(counts)))


class LabelSmoothing(Loss):
    """Cross-entropy against targets that give a part eps to all classes.

    l_i = (1 - eps) (-log p_i[y_i]) + eps mean_j(-log p_ij). eps = 0 is cross-entropy.

    Paper: Szegedy et al., Rethinking the Inception Architecture for Computer Vision, CVPR 2016,
    Section 7.

    Args:
        class_counts: training images per class, (C,).
        eps: in [0, 1].
        spread: "all" spreads eps over all C classes (paper, PyTorch), "others" over the C - 1
            that are not the target.
        weights: class weights, see `Loss`.
        reduction: see `Loss`.

    Raises:
        UserError: if `eps` is outside [0, 1].
    """

    def __init__(
        self,
        class_counts: ClassCounts,
        *,
        eps: float = 0.1,
        spread: Spread = "all",
        weights: WeightRule | None = None,
        reduction: Reduction = "weighted_mean",
    ) -> None:
        super().__init__(class_counts, weights=weights, reduction=reduction)
        check_choice("spread", spread, ("all", "others"))
        self.eps = check_range("eps", eps, 0.0, 1.0)
        self.spread: Spread = spread
        self.corrects_prior = is_mostly_even(self.class_counts, self.eps, spread=spread)

    def assumed(self, log_shares: Tensor) -> Tensor:
        """Return the log of the mean of the targets."""
        return smoothed_log_shares(log_shares, self.eps, spread=self.spread)

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the smoothed cross-entropy of each sample, (N,)."""
        return smoothed_cross_entropy(logits, targets, self.eps, spread=self.spread)
