"""Multiplicative logit adjustment of a finished run."""

from collections.abc import Mapping

import torch
from torch import Tensor

from lt_lightning.data import LongTailDataModule
from lt_lightning.engine.changes import follow
from lt_lightning.inputs import ClassCounts
from lt_lightning.losses.checks import check_range
from lt_lightning.losses.logit_adjustment import log_prior
from lt_lightning.methods import LongTailModule
from lt_lightning.post_hoc.base import PostHoc
from lt_lightning.post_hoc.compensated import check_uncompensated, warn_of_other_shares
from lt_lightning.post_hoc.functions import accuracy_curve, checked_logits
from lt_lightning.post_hoc.knob import best_on, checked_knob, knob_values
from lt_lightning.post_hoc.outputs import held_out_logits

GRID = tuple(step / 20 for step in range(21))


def multiply_logits(logits: Tensor, class_counts: ClassCounts, tau: float) -> Tensor:
    """Return z_c pi_c^(-tau), pi_c = n_c / N, (N, C); predict with the largest.

    For a model trained with plain cross-entropy, as `adjust_logits`.

    Paper: see `MultiplicativeLogitAdjuster`.

    Args:
        logits: (N, C).
        class_counts: training images per class, (C,).
        tau: at least 0; 0 changes nothing.

    Returns:
        (N, C), float32, or float64 for float64 logits.

    Raises:
        UserError: if the counts are bad, their number is not C, or tau is negative.

    >>> multiply_logits(torch.tensor([[1.0, 0.9]]), [3, 1], tau=0.5).argmax(dim=1).tolist()
    [1]
    """
    wide, counts = checked_logits(logits, class_counts)
    factors = class_factors(counts, check_range("tau", tau))
    return wide * factors.to(wide.device, wide.dtype)


def class_factors(class_counts: ClassCounts, tau: float) -> Tensor:
    """Return pi_c^(-tau), at least 1 each, float64 (C,)."""
    return (-tau * log_prior(class_counts).double()).exp()


class MultiplicativeLogitAdjuster(PostHoc):
    """Multiplicative logit adjustment (MLA): each logit times a power of its class share.

    z'_c = z_c pi_c^(-tau), pi_c = n_c / N

    Row and bias of a class get the same factor. The zero of the logits counts: a negative logit
    of a rare class becomes more negative. Cross-entropy leaves them around 0, so that the largest
    is positive; one-against-all losses do not. All factors are above 1, so that confidences grow:
    `lt calibrate` goes behind it.

    Paper: Hasegawa and Sato, Multiplicative Logit Adjustment Approximates Neural-Collapse-Aware
    Decision Boundary Adjustment, arXiv 2024.

    Differs from the authors' code in nothing known: the formula was taken from their paper as it
    is quoted, and their code was not seen.

    Args:
        tau: 0 changes nothing; none is the value of 0, 0.05, ..., 1 with the best macro accuracy
            on held-out images, of equals the smallest. There is no value for all networks: 0.65
            is published for CIFAR-100-LT at ratio 100, and may be far too much for another, since
            the factors grow with the ratio and work on logits of any size.

    Raises:
        UserError: if tau is negative.
    """

    on_held_out = True

    def __init__(self, tau: float | None = None) -> None:
        self.tau = checked_knob("tau", tau)

    def given(self) -> dict[str, Tensor] | None:
        """Return tau, where it was given."""
        return None if self.tau is None else knob_values("tau", self.tau)

    def refuse(self, model: LongTailModule) -> None:
        """Refuse a model that is trained to compensate the class sizes."""
        check_uncompensated(model, type(self).__name__)

    def check(self, model: LongTailModule) -> None:
        """Refuse as before training, and warn of outputs that assume other shares."""
        self.refuse(model)
        warn_of_other_shares(model, type(self).__name__)

    def fit(self, model: LongTailModule, data: LongTailDataModule) -> dict[str, Tensor]:
        """Return the best tau of the grid."""
        logits, targets = held_out_logits(model, data)
        counts = data.class_counts
        tried = [(value, multiply_logits(logits, counts, value)) for value in GRID]
        self.curve, self.fitted_on = accuracy_curve(tried, targets, len(counts)), "held-out"
        return knob_values("tau", best_on("tau", self.curve, self.fitted_on))

    def put(self, model: LongTailModule, values: Mapping[str, Tensor]) -> None:
        """Multiply by pi^(-tau)."""
        check_uncompensated(model, type(self).__name__)
        self.tau = float(values["tau"])
        factors = class_factors(model.last_loss.class_counts.cpu(), self.tau).float()
        # Without the questions of `multiply_logits`, so that it can be exported.
        follow(model, lambda logits: logits.float() * factors.to(logits.device))

    def log_shares_after(self, model: LongTailModule, before: Tensor) -> Tensor:
        """Return equal shares, as after other remedies; where tau is 0, those of before."""
        return torch.zeros_like(before) if self.tau else before

    def describe(self) -> str:
        """Return the name and tau."""
        return f"multiplicative_logit_adjustment_tau_{self.tau:g}"
