"""LDAM: a larger margin for rarer classes."""

import torch.nn.functional as F
from torch import Tensor

from lt_lightning.inputs import ClassCounts, wide_counts
from lt_lightning.losses.base import Loss, Reduction
from lt_lightning.losses.checks import check_range
from lt_lightning.losses.weights import WeightRule


def ldam_margins(class_counts: ClassCounts, *, max_margin: float = 0.5) -> Tensor:
    """Return max_margin (n_min / n_c)^(1/4), float64 (C,): the rarest class has `max_margin`.

    >>> ldam_margins(torch.tensor([16, 1])).tolist()
    [0.25, 0.5]
    """
    counts = wide_counts(class_counts)
    return max_margin * (counts.min() / counts) ** 0.25


def ldam_loss(logits: Tensor, targets: Tensor, margins: Tensor, *, scale: float = 30.0) -> Tensor:
    """Return the cross-entropy after the target's logit is lowered by scale * margin, (N,).

    Args:
        logits: scale * cosine, (N, C).
        targets: int64 (N,).
        margins: in cosine, (C,).
        scale: the scale that is already in the logits.
    """
    lowered = (scale * margins[targets]).to(logits.dtype)
    shifted = logits.scatter_add(1, targets[:, None], -lowered[:, None])
    return F.cross_entropy(shifted, targets, reduction="none")


class LDAM(Loss):
    """Label-distribution-aware margin: rarer classes must win by a larger cosine margin.

    l_i = CE(s (cos_i - m[y_i] e[y_i]), y_i), m_c = max_margin (n_min / n_c)^(1/4).

    The head gives s * cos, so the margin is subtracted as s * m. max_margin = 0 is cross-entropy
    on scaled cosines. LDAM-DRW adds `EffectiveNumber` weights late in training.

    Paper: Cao et al., Learning Imbalanced Datasets with Label-Distribution-Aware Margin Loss,
    NeurIPS 2019.

    Differs from the authors' code in where the scale lives: theirs is in the loss, so that the
    outputs of their model are bare cosines. The value is the same.

    Args:
        class_counts: training images per class, (C,).
        max_margin: the margin of the rarest class, in cosine, at least 0.
        scale: s of the cosine head in front, above 0.
        weights: class weights, see `Loss`.
        reduction: see `Loss`.

    Raises:
        UserError: if `max_margin` or `scale` is out of range.
    """

    margins: Tensor
    scale: float

    def __init__(
        self,
        class_counts: ClassCounts,
        *,
        max_margin: float = 0.5,
        scale: float = 30.0,
        weights: WeightRule | None = None,
        reduction: Reduction = "weighted_mean",
    ) -> None:
        super().__init__(class_counts, weights=weights, reduction=reduction)
        self.scale = check_range("scale", scale, open_low=True)
        margin = check_range("max_margin", max_margin)
        self.table("margins", ldam_margins(self.class_counts, max_margin=margin))

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the margin loss of each sample, (N,)."""
        return ldam_loss(logits, targets, self.margins, scale=self.scale)
