"""Logit adjustment of a finished run."""

from collections.abc import Mapping

from torch import Tensor

from lt_lightning.data import LongTailDataModule
from lt_lightning.engine.changes import follow
from lt_lightning.losses.logit_adjustment import log_prior
from lt_lightning.methods import LongTailModule
from lt_lightning.post_hoc.base import PostHoc
from lt_lightning.post_hoc.compensated import check_uncompensated, warn_of_other_shares
from lt_lightning.post_hoc.functions import best_tau, tau_scores
from lt_lightning.post_hoc.knob import best_on, checked_knob, knob_values
from lt_lightning.post_hoc.outputs import held_out_logits
from lt_lightning.post_hoc.tau_normalization import GRID


class LogitAdjuster(PostHoc):
    """Post-hoc logit adjustment of a run trained with plain cross-entropy: z - tau log(n / N).

    Paper: Menon et al., Long-Tail Learning via Logit Adjustment, ICLR 2021, Section 4.

    Args:
        tau: 1 is canonical; none is the value of 0, 0.1, ..., 2 with the best macro accuracy on
            held-out images, of equals the nearest to 1.

    Raises:
        UserError: if tau is negative.
    """

    on_held_out = True

    def __init__(self, tau: float | None = 1.0) -> None:
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
        self.curve = tau_scores(logits, targets, data.class_counts, GRID)
        self.fitted_on = "held-out"
        return knob_values("tau", best_on("tau", self.curve, self.fitted_on, best_tau))

    def put(self, model: LongTailModule, values: Mapping[str, Tensor]) -> None:
        """Subtract tau log(n / N)."""
        check_uncompensated(model, type(self).__name__)
        self.tau = float(values["tau"])
        shift = self.tau * log_prior(model.last_loss.class_counts.cpu()).float()
        # Without the questions of `adjust_logits`, so that it can be exported.
        follow(model, lambda logits: logits.float() - shift.to(logits.device))

    def log_shares_after(self, model: LongTailModule, before: Tensor) -> Tensor:
        """Return what is left of the shares: all of them for tau 0, none for 1."""
        assert self.tau is not None, "it was put"
        return before - self.tau * log_prior(model.last_loss.class_counts.cpu())

    def describe(self) -> str:
        """Return the name and tau."""
        return f"logit_adjustment_tau_{self.tau:g}"
