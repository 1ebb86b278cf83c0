"""ALA: a margin from how rare the class and how hard the sample is."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from lt_lightning.inputs import ClassCounts, wide_counts
from lt_lightning.losses.base import Loss, Reduction
from lt_lightning.losses.checks import check_range
from lt_lightning.losses.weights import WeightRule


def quantity_factors(class_counts: ClassCounts) -> Tensor:
    """Return log 2 / log(n_c / n_min + 1), float64 (C,): 1 for the rarest class.

    >>> quantity_factors(torch.tensor([3, 1])).tolist()
    [0.5, 1.0]
    """
    counts = wide_counts(class_counts)
    return math.log(2.0) / torch.log1p(counts / counts.min())


def ala_loss(logits: Tensor, targets: Tensor, quantity: Tensor, *, scale: float = 30.0) -> Tensor:
    """Return the cross-entropy after the target's logit is lowered adaptively, (N,).

    Args:
        logits: scale * cosine, (N, C).
        targets: int64 (N,).
        quantity: how rare each class is, in (0, 1], (C,).
        scale: the scale that is already in the logits.
    """
    index = targets[:, None]
    difficulty = (1.0 - logits.detach().gather(1, index) / scale) / 2.0
    lowered = scale * quantity.to(logits.dtype)[index] * difficulty
    return F.cross_entropy(logits.scatter_add(1, index, -lowered), targets, reduction="none")


class ALA(Loss):
    """Adaptive logit adjustment: a margin that grows with rarity and with difficulty.

    l_i = CE(s (cos_i - q[y_i] d_i e[y_i]), y_i), q_c = log 2 / log(n_c / n_min + 1),
    d_i = (1 - cos_i[y_i]) / 2. No gradient passes through q and d.

    The head gives s * cos; the published runs add deferred re-weighting.

    Paper: Zhao et al., Adaptive Logit Adjustment Loss for Long-Tailed Visual Recognition,
    AAAI 2022; the formula was read in the OpenLT code, not in the paper.

    Args:
        class_counts: training images per class, (C,).
        scale: s of the cosine head in front, above 0.
        weights: class weights, see `Loss`.
        reduction: see `Loss`.

    Raises:
        UserError: if `scale` is not above 0.
    """

    stops_gradient = True

    quantity: Tensor
    scale: float

    def __init__(
        self,
        class_counts: ClassCounts,
        *,
        scale: float = 30.0,
        weights: WeightRule | None = None,
        reduction: Reduction = "weighted_mean",
    ) -> None:
        super().__init__(class_counts, weights=weights, reduction=reduction)
        self.scale = check_range("scale", scale, open_low=True)
        self.table("quantity", quantity_factors(self.class_counts))

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the adaptive margin loss of each sample, (N,)."""
        return ala_loss(logits, targets, self.quantity, scale=self.scale)
