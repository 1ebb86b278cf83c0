"""Rules for the pairwise margins of `Pairwise`."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from lt_lightning.inputs import ClassCounts, wide_counts
from lt_lightning.losses.checks import check_range
from lt_lightning.losses.ldam import ldam_margins
from lt_lightning.losses.logit_adjustment import log_prior


class DeltaRule(ABC):
    """class_counts (C,) -> margins (C, C), float64: row y the target, column y' the rival.

    The diagonal plays no part. `scale` is that of the cosine head that the margins are meant
    for; none means any linear logits.
    """

    scale: float | None = None
    corrects_prior: bool = False  # see `Loss`

    @abstractmethod
    def __call__(self, class_counts: ClassCounts) -> Tensor:
        """Return Delta[y, y'], float64 (C, C)."""


class AdjustmentDelta(DeltaRule):
    """Delta[y, y'] = tau log(n_y' / n_y): logit adjustment.

    Paper: Menon et al., Long-Tail Learning via Logit Adjustment, ICLR 2021, Section 5.

    Args:
        tau: at least 0; 0 is cross-entropy.

    Raises:
        UserError: if `tau` is negative.
    """

    def __init__(self, tau: float = 1.0) -> None:
        self.tau = check_range("tau", tau)
        self.corrects_prior = tau > 0

    def __call__(self, class_counts: ClassCounts) -> Tensor:
        """Return tau (log n_y' - log n_y)."""
        prior = log_prior(class_counts)
        return self.tau * (prior[None, :] - prior[:, None])


class MarginDelta(DeltaRule):
    """Delta[y, y'] = scale * max_margin (n_min / n_y)^(1/4): LDAM.

    Paper: Cao et al., Learning Imbalanced Datasets with Label-Distribution-Aware Margin Loss,
    NeurIPS 2019.

    Args:
        max_margin: the margin of the rarest class, in cosine, at least 0.
        scale: s of the cosine head in front, above 0.

    Raises:
        UserError: if an argument is out of range.
    """

    def __init__(self, max_margin: float = 0.5, scale: float = 30.0) -> None:
        self.max_margin = check_range("max_margin", max_margin)
        self.scale: float = check_range("scale", scale, open_low=True)

    def __call__(self, class_counts: ClassCounts) -> Tensor:
        """Return scale * margin[y] in every column."""
        margins = self.scale * ldam_margins(class_counts, max_margin=self.max_margin)
        return margins[:, None].expand(-1, len(margins)).clone()


class EqualizedDelta(DeltaRule):
    """Delta[y, y'] = log(1 - gamma) where y' is rare, else 0: softmax equalization.

    A rare class is pushed down less by the images of other classes: its term in their softmax
    denominators is multiplied by F(n_y' / N) = 1 - gamma [n_y' / N < threshold].

    Paper: Tan et al., Equalization Loss for Long-Tailed Object Recognition, CVPR 2020; as a
    pairwise margin Menon et al., ICLR 2021, Section 5.2.

    Differs from the authors' code in using the expected factor 1 - gamma; they draw 0 or 1 for
    each image and class, with probability gamma of 0.

    Args:
        threshold: a class is rare if its share of the images is below this, in [0, 1].
        gamma: in [0, 1]; 0 is cross-entropy, 1 leaves rare classes out of the denominators of
            other classes altogether (Delta = -infinity), the published equalization loss with the
            probability 1. 0.9 and the threshold 0.005 are the defaults of Bag of Tricks.

    Raises:
        UserError: if an argument is out of range.
    """

    def __init__(self, threshold: float = 0.005, gamma: float = 0.9) -> None:
        self.threshold = check_range("threshold", threshold, 0.0, 1.0)
        self.gamma = check_range("gamma", gamma, 0.0, 1.0)

    def __call__(self, class_counts: ClassCounts) -> Tensor:
        """Return log F(n_y' / N) in every row."""
        counts = wide_counts(class_counts)
        share = counts / counts.sum()
        column = torch.log1p(-self.gamma * (share < self.threshold).to(torch.float64))
        return column[None, :].expand(len(column), -1).clone()
