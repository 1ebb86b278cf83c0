"""Label-aware smoothing: head classes are smoothed more than tail classes."""

import math
from typing import Literal

import torch
from torch import Tensor

from lt_lightning.errors import UserError
from lt_lightning.inputs import ClassCounts, wide_counts
from lt_lightning.losses.base import Loss, Reduction
from lt_lightning.losses.checks import check_choice, check_range
from lt_lightning.losses.label_smoothing import (
    Spread,
    is_mostly_even,
    smoothed_cross_entropy,
    smoothed_log_shares,
)
from lt_lightning.losses.published import nearest_setting, ratio_of
from lt_lightning.losses.weights import WeightRule

Form = Literal["concave", "linear", "convex", "exp"]

# (number of classes, imbalance ratio) -> (eps_head, eps_tail), as published
_PUBLISHED: dict[tuple[int, float], tuple[float, float]] = {
    (10, 100): (0.3, 0.0),
    (10, 50): (0.2, 0.0),
    (10, 10): (0.1, 0.0),
    (100, 100): (0.4, 0.1),
    (100, 50): (0.3, 0.0),
    (100, 10): (0.2, 0.0),
    (365, 996): (0.4, 0.1),
    (1000, 256): (0.3, 0.0),
    (8142, 500): (0.3, 0.0),
}


def recommended_smoothing(num_classes: int, imbalance_ratio: float) -> tuple[float, float]:
    """Return (eps_head, eps_tail) of the published data set that is most alike.

    The nearest of nine published settings, by log(C) and log(imbalance ratio): CIFAR-10-LT and
    CIFAR-100-LT at 100, 50 and 10, Places-LT, ImageNet-LT and iNaturalist 2018. Away from
    these it is a starting point and no more.

    Args:
        num_classes: C, at least 1.
        imbalance_ratio: largest over smallest class count, at least 1.

    Raises:
        UserError: if an argument is below 1.

    >>> recommended_smoothing(100, 100)
    (0.4, 0.1)
    """
    return nearest_setting(_PUBLISHED, num_classes, imbalance_ratio)


def class_smoothing(
    class_counts: ClassCounts,
    *,
    eps_head: float = 0.3,
    eps_tail: float = 0.0,
    form: Form = "concave",
    power: float = 2.0,
) -> Tensor:
    """Return the smoothing of each class, float64 (C,), from eps_tail to eps_head.

    With r_c = (n_c - n_min) / (n_max - n_min) and d = eps_head - eps_tail:
    concave eps_tail + d sin(pi r / 2); linear eps_tail + d r;
    convex eps_head + d sin(3 pi / 2 + pi r / 2); exp eps_tail + d r^power.
    Where all counts are equal every class has eps_head.
    """
    counts = wide_counts(class_counts)
    low, high = counts.min(), counts.max()
    if low == high:
        return torch.full_like(counts, eps_head)
    ratio = (counts - low) / (high - low)
    span = eps_head - eps_tail
    if form == "concave":
        return eps_tail + span * torch.sin(ratio * math.pi / 2)
    if form == "convex":
        return eps_head + span * torch.sin(3 * math.pi / 2 + ratio * math.pi / 2)
    return eps_tail + span * ratio ** (power if form == "exp" else 1.0)


def _ends(
    class_counts: ClassCounts, eps_head: float | None, eps_tail: float | None
) -> tuple[float, float]:
    if eps_head is None:
        if eps_tail is not None:
            raise UserError(f"eps_tail is {eps_tail} without eps_head: give both, or none.")
        return recommended_smoothing(len(class_counts), ratio_of(class_counts))
    head = check_range("eps_head", eps_head, 0.0, 1.0)
    return head, check_range("eps_tail", 0.0 if eps_tail is None else eps_tail, 0.0, head)


class LabelAwareSmoothing(Loss):
    """Label smoothing that is stronger for frequent classes, against over-confident heads.

    l_i = (1 - e_i) (-log p_i[y_i]) + e_i mean_j(-log p_ij), with e_i = eps[y_i] between eps_tail
    and eps_head, see `class_smoothing`. eps_head = eps_tail = 0 is cross-entropy.

    Made for the second stage of a two-stage method; in one stage it changes little. It changes
    targets, not class weights.

    Paper: Zhong et al., Improving Calibration for Long-Tailed Recognition, CVPR 2021.

    Differs from the authors' code in nothing by default; their paper spreads over the C - 1
    other classes, which is spread="others". spread="all" with eps equals it with
    eps (C - 1) / C.

    Args:
        class_counts: training images per class, (C,).
        eps_head: smoothing of the largest class, in [0, 1]; none takes both values from
            `recommended_smoothing`, which knows the published ones by data set and ratio.
        eps_tail: smoothing of the smallest class, in [0, eps_head]; none is the recommended
            value, or 0 beside a given eps_head.
        form: "concave", "linear", "convex" or "exp".
        power: the exponent of "exp", above 0; the others do not read it. The default 2 is ours.
        spread: "all" (code) spreads over all C classes, "others" (paper) over C - 1.
        weights: class weights, see `Loss`.
        reduction: see `Loss`.

    Raises:
        UserError: if a value is out of range, `form` or `spread` is unknown, or eps_tail is given
            without eps_head.
    """

    smoothing: Tensor

    def __init__(
        self,
        class_counts: ClassCounts,
        *,
        eps_head: float | None = None,
        eps_tail: float | None = None,
        form: Form = "concave",
        power: float = 2.0,
        spread: Spread = "all",
        weights: WeightRule | None = None,
        reduction: Reduction = "weighted_mean",
    ) -> None:
        super().__init__(class_counts, weights=weights, reduction=reduction)
        check_choice("form", form, ("concave", "linear", "convex", "exp"))
        check_choice("spread", spread, ("all", "others"))
        check_range("power", power, open_low=True)
        head, tail = _ends(self.class_counts, eps_head, eps_tail)
        smoothing = class_smoothing(
            self.class_counts, eps_head=head, eps_tail=tail, form=form, power=power
        )
        self.table("smoothing", smoothing)
        self.spread: Spread = spread
        self.corrects_prior = is_mostly_even(self.class_counts, smoothing, spread=spread)

    def assumed(self, log_shares: Tensor) -> Tensor:
        """Return the log of the mean of the targets."""
        return smoothed_log_shares(log_shares, self.smoothing.double().cpu(), spread=self.spread)

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the smoothed cross-entropy of each sample, (N,)."""
        eps = self.smoothing.to(logits.dtype)[targets]
        return smoothed_cross_entropy(logits, targets, eps, spread=self.spread)
