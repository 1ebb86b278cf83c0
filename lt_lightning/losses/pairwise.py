"""The pairwise-margin family of which many long-tail losses are members."""

import torch
import torch.nn.functional as F
from torch import Tensor

from lt_lightning.inputs import ClassCounts
from lt_lightning.losses.base import Loss, Reduction
from lt_lightning.losses.deltas import AdjustmentDelta, DeltaRule
from lt_lightning.losses.weights import WeightRule


def pairwise_loss(
    logits: Tensor, targets: Tensor, delta: Tensor, alpha: Tensor | None = None
) -> Tensor:
    """Return alpha_y log(1 + sum_{y' != y} exp(Delta[y, y'] + z_y' - z_y)), (N,).

    Args:
        logits: (N, C).
        targets: int64 (N,).
        delta: (C, C), row the target, column the rival; the diagonal is not read.
        alpha: a factor per class, (C,); none is 1.
    """
    own = F.one_hot(targets, logits.shape[1]).bool()
    margins = delta.to(logits.dtype)[targets].masked_fill(own, 0.0)
    values = F.cross_entropy(logits + margins, targets, reduction="none")
    return values if alpha is None else alpha.to(logits.dtype)[targets] * values


class Pairwise(Loss):
    """The pairwise-margin family: any margin per pair of target and rival class.

    l_i = log(1 + sum_{y' != y_i} exp(Delta[y_i, y'] + z_iy' - z_i[y_i])), times alpha[y_i].

    alpha is the class weight, so it is given as `weights`; use reduction="mean" where its scale
    should count. `AdjustmentDelta` gives `LogitAdjustment`, `MarginDelta` gives `LDAM`,
    `EqualizedDelta` the softmax equalization loss, and Delta = 0 with weights cost-sensitive
    cross-entropy.

    The margins are a (C, C) buffer (265 MB for 8142 classes): beyond a few thousand classes use
    the member's own class.

    Paper: Menon et al., Long-Tail Learning via Logit Adjustment, ICLR 2021, Section 5.2.

    Args:
        class_counts: training images per class, (C,).
        delta: the rule that turns counts into Delta.
        weights: alpha, see `Loss`.
        reduction: see `Loss`.
    """

    delta: Tensor

    def __init__(
        self,
        class_counts: ClassCounts,
        *,
        delta: DeltaRule = AdjustmentDelta(),
        weights: WeightRule | None = None,
        reduction: Reduction = "weighted_mean",
    ) -> None:
        super().__init__(class_counts, weights=weights, reduction=reduction)
        self.scale, self.corrects_prior = delta.scale, delta.corrects_prior
        self.table("delta", delta(self.class_counts).to(torch.float64).fill_diagonal_(0.0))

    def assumed(self, log_shares: Tensor) -> Tensor:
        """Return the shares as drawn, less r where Delta[y, y'] = r[y'] - r[y]."""
        rivals = self.delta[0]
        if torch.allclose(self.delta, rivals - rivals[:, None], atol=1e-4):
            return log_shares - rivals.double().cpu()
        return super().assumed(log_shares)

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the pairwise loss of each sample with alpha 1, (N,)."""
        return pairwise_loss(logits, targets, self.delta)
