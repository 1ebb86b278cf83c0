"""Logit adjustment of a finished run."""

from torch import Tensor

from lt_lightning.errors import UserError
from lt_lightning.losses import adjust_logits, fit_tau
from lt_lightning.post_hoc.base import PostHoc


class LogitAdjuster(PostHoc):
    """Post-hoc logit adjustment of a run trained with plain cross-entropy: z - tau log(n / N).

    Paper: Menon et al., Long-Tail Learning via Logit Adjustment, ICLR 2021, Section 4.

    Args:
        tau: 1 is canonical; none is the value of 0, 0.1, ..., 2 with the best macro accuracy on
            held-out images.

    Raises:
        UserError: if tau is negative.
    """

    def __init__(self, tau: float | None = 1.0) -> None:
        if tau is not None and not tau >= 0:
            raise UserError(f"tau is {tau}: give 0 or more, or null to fit it on held-out images.")
        self.tau, self.needs_held_out = tau, tau is None
        self._counts: Tensor | None = None

    def fit(self, class_counts: Tensor, logits: Tensor | None, targets: Tensor | None) -> None:
        """Keep the counts; choose tau where none was given."""
        self._counts = class_counts
        if self.tau is None:
            assert logits is not None
            assert targets is not None
            self.tau = fit_tau(logits, targets, class_counts)

    def __call__(self, logits: Tensor) -> Tensor:
        """Return z - tau log(n / N)."""
        assert self._counts is not None, "fit comes first"
        assert self.tau is not None
        return adjust_logits(logits, self._counts, self.tau)

    def describe(self) -> str:
        """Return the name and tau."""
        return f"logit_adjustment_tau_{self.tau:g}"
