"""Another strength of causal TDE on a finished run."""

import logging
from collections.abc import Mapping

from torch import Tensor

from lt_lightning.data import LongTailDataModule
from lt_lightning.errors import UserError
from lt_lightning.heads import CausalNormHead
from lt_lightning.methods import CausalTDE, LongTailModule
from lt_lightning.post_hoc.base import PostHoc
from lt_lightning.post_hoc.functions import accuracy_curve
from lt_lightning.post_hoc.knob import best_on, checked_knob, knob_values
from lt_lightning.post_hoc.outputs import held_out_features

log = logging.getLogger(__name__)
GRID = tuple(step / 10 for step in range(31))


class TotalDirectEffect(PostHoc):
    """The total direct effect of a run of CausalTDE, with another alpha.

    z = (s / K) sum_k (x^_k - alpha cos_k c^_k) w^_k^T

    Paper: Tang et al., Long-Tailed Classification by Keeping the Good and Removing the Bad
    Momentum Causal Effect, NeurIPS 2020.

    Differs from the authors' code in where alpha may be chosen: there it is set per data set, here
    it may also be the best on held-out images.

    Args:
        alpha: 0 leaves the logits of training; the published values are 1 for CIFAR-10, 1.5 for
            CIFAR-100, 3 for ImageNet-LT. None is the value of 0, 0.1, ..., 3 with the best macro
            accuracy on held-out images.

    Raises:
        UserError: if alpha is out of range.
    """

    on_held_out = True

    def __init__(self, alpha: float | None = 1.0) -> None:
        self.alpha = checked_knob("alpha", alpha)

    def given(self) -> dict[str, Tensor] | None:
        """Return alpha, where it was given."""
        return None if self.alpha is None else knob_values("alpha", self.alpha)

    def refuse(self, model: LongTailModule) -> None:
        """Refuse another method."""
        _causal(model)

    def fit(self, model: LongTailModule, data: LongTailDataModule) -> dict[str, Tensor]:
        """Return the best alpha of the grid."""
        self.fitted_on = "held-out"
        features, targets = held_out_features(model, data)
        tried = ((alpha, _causal(model).direct_effect(features, alpha)) for alpha in GRID)
        curve = accuracy_curve(tried, targets, model.num_classes)
        return knob_values("alpha", best_on("alpha", curve, self.fitted_on))

    def put(self, model: LongTailModule, values: Mapping[str, Tensor]) -> None:
        """Predict by this alpha."""
        self.alpha = float(values["alpha"])
        _causal(model).change_alpha(self.alpha)

    def describe(self) -> str:
        """Return the name and alpha."""
        return f"tde_alpha_{self.alpha:g}"


def _causal(model: LongTailModule) -> CausalTDE:
    if not isinstance(model, CausalTDE) or not isinstance(model.head, CausalNormHead):
        raise UserError(
            f"TotalDirectEffect is for runs of CausalTDE, this one is of {type(model).__name__}"
            ": leave it out."
        )
    return model
