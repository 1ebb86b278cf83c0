"""Logit adjustment of a finished run."""

from torch import Tensor

from lt_lightning.data import LongTailDataModule
from lt_lightning.errors import UserError
from lt_lightning.methods import LongTailModule
from lt_lightning.post_hoc.base import PostHoc
from lt_lightning.post_hoc.functions import adjust_logits, fit_tau
from lt_lightning.post_hoc.outputs import held_out_logits
from lt_lightning.post_hoc.tau_normalization import GRID, tau_curve


class LogitAdjuster(PostHoc):
    """Post-hoc logit adjustment of a run trained with plain cross-entropy: z - tau log(n / N).

    Paper: Menon et al., Long-Tail Learning via Logit Adjustment, ICLR 2021, Section 4.

    Args:
        tau: 1 is canonical; none is the value of 0, 0.1, ..., 2 with the best macro accuracy on
            held-out images, of equals the nearest to 1.

    Raises:
        UserError: if tau is negative.
    """

    def __init__(self, tau: float | None = 1.0) -> None:
        if tau is not None and not tau >= 0:
            raise UserError(f"tau is {tau}: give 0 or more, or null to fit it on held-out images.")
        self.tau = tau

    def apply(self, model: LongTailModule, data: LongTailDataModule) -> None:
        """Choose tau where none was given, and change the logits."""
        last = model.last_loss
        if last.corrects_prior:
            raise UserError(
                f"The run was trained with {type(last).__name__}, which compensates the "
                "class sizes already: LogitAdjuster is for runs of CrossEntropy."
            )
        counts = data.class_counts
        tau = self.tau
        if tau is None:
            logits, targets = held_out_logits(model, data)
            tau = self.tau = fit_tau(logits, targets, counts, GRID)
            tried = [(value, adjust_logits(logits, counts, value)) for value in GRID]
            self.curve, self.fitted_on = tau_curve(tried, targets, len(counts)), "held-out"

        def change(logits: Tensor) -> Tensor:
            return adjust_logits(logits, counts, tau)

        model.post_hoc = change

    def describe(self) -> str:
        """Return the name and tau."""
        return f"logit_adjustment_tau_{self.tau:g}"
