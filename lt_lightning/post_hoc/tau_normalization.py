"""tau-normalisation of a finished run."""

from collections.abc import Mapping
from typing import Literal

from torch import Tensor

from lt_lightning.data import LongTailDataModule
from lt_lightning.errors import UserError
from lt_lightning.heads import TauNormHead
from lt_lightning.methods import LongTailModule
from lt_lightning.post_hoc.base import PostHoc
from lt_lightning.post_hoc.functions import accuracy_curve
from lt_lightning.post_hoc.knob import best_on, checked_knob, knob_values
from lt_lightning.post_hoc.outputs import held_out_features, training_features

GRID = tuple(step / 10 for step in range(21))


class TauNormalization(PostHoc):
    """tau-normalisation: each row of W is divided by the tau-th power of its own norm.

    z = x w~^T, w~_c = w_c / ||w_c||^tau

    Paper: Kang et al., Decoupling Representation and Classifier, ICLR 2020, section 4.1.

    Differs from the authors' code in where tau may be chosen: they took the test images of
    iNaturalist, here it is held-out or training images with equal weight for every class.

    Args:
        tau: 0 leaves the norms, 1 makes them equal; none is the value of 0, 0.1, ..., 2 with the
            best macro accuracy on the images of `fit_on`.
        keep_bias: add the bias, as Bag of Tricks does; Decoupling's code drops it.
        fit_on: the images that choose tau: "held_out", or "training" where there are none.

    Raises:
        UserError: if tau is negative, or given where `fit_on` says what to choose it on.
    """

    sources = ("fit_on",)

    def __init__(
        self,
        tau: float | None = 1.0,
        keep_bias: bool = False,
        fit_on: Literal["held_out", "training"] = "held_out",
    ) -> None:
        checked_knob("tau", tau)
        if tau is not None and fit_on == "training":
            raise UserError(
                f"fit_on is training but tau is {tau}, so nothing is fitted: set --post_hoc.tau "
                "null, or leave out fit_on."
            )
        self.tau, self.keep_bias, self.fit_on = tau, keep_bias, fit_on

    def refuse(self, model: LongTailModule) -> None:
        """Refuse a classifier that has no rows of its own length; stage 2 may make another."""
        if model.num_stages == 1:
            TauNormHead(model.head)

    def needs_held_out(self) -> bool:
        """Return whether tau is chosen on them, and not on training images."""
        return self.tau is None and self.fit_on == "held_out"

    def given(self) -> dict[str, Tensor] | None:
        """Return tau, where it was given."""
        return None if self.tau is None else knob_values("tau", self.tau)

    def fit(self, model: LongTailModule, data: LongTailDataModule) -> dict[str, Tensor]:
        """Return the best tau of the grid."""
        self.fitted_on = self.fit_on.replace("_", "-")
        pick = held_out_features if self.fit_on == "held_out" else training_features
        features, targets = pick(model, data)
        tried = ((tau, self._head(model, tau)(features)) for tau in GRID)
        self.curve = accuracy_curve(tried, targets, model.num_classes)
        return knob_values("tau", best_on("tau", self.curve, self.fitted_on))

    def put(self, model: LongTailModule, values: Mapping[str, Tensor]) -> None:
        """Replace the classifier."""
        self.tau = float(values["tau"])
        model.head = self._head(model, self.tau)

    def _head(self, model: LongTailModule, tau: float) -> TauNormHead:
        return TauNormHead(model.head, tau=tau, keep_bias=self.keep_bias).to(model.device)

    def describe(self) -> str:
        """Return the name and tau."""
        return f"tau_norm_{self.tau:g}"
