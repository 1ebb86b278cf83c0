"""Prior shift: the outputs of a finished run for images of other class shares."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from lt_lightning.data import LongTailDataModule
from lt_lightning.engine.changes import follow
from lt_lightning.errors import UserError, printable
from lt_lightning.home import home
from lt_lightning.inputs import told_value
from lt_lightning.methods import LongTailModule
from lt_lightning.post_hoc.base import PostHoc
from lt_lightning.post_hoc.shares_file import in_order, read_shares

log = logging.getLogger(__name__)
Assumed = Literal["training", "uniform"]


def told_shares(model: LongTailModule) -> Tensor:
    """Return the class shares that the outputs assume, float64 (C,), sum 1.

    Raises:
        UserError: if they cannot be told.
    """
    assumed = model.log_shares().softmax(dim=0)
    if bool(assumed.isnan().any()):
        raise UserError(
            f"Which class shares the outputs of this {type(model).__name__} assume cannot be told, "
            "for it was trained on mixed streams or labels, or says not what it drew: say it by "
            "--post_hoc TargetPrior --post_hoc.shares FILE --post_hoc.assumed training, or uniform."
        )
    return assumed


class TargetPrior(PostHoc):
    """Prior shift to known class shares: p(y | x) s_y / a_y, made to sum to 1 again.

    s are the shares of the images to be predicted, a those that the outputs assume: of a run
    without a remedy those of its training images as drawn and weighted; of one that takes the
    prior out, by its loss, its sampler or a change after training, those that are left, which are
    equal where it takes out all. It goes behind every other change. A class with the share 0 is
    never predicted.

    Paper: Saerens et al., Adjusting the Outputs of a Classifier to New a Priori Probabilities,
    Neural Computation 2002, Eq. 2.4 (equation number recalled, unchecked).

    Args:
        shares: a file of class names and shares (.csv, .txt, .json, .yaml), or the shares by name;
            they are divided by their sum.
        assumed: what the outputs assume: "training", the shares of the training images, or
            "uniform"; none works it out, and refuses a run of which it cannot be told: of streams
            that are mixed (BBN, CMO), or of labels (Remix).
    """

    goes_last = True
    sources = ("shares", "assumed")

    def __init__(
        self, shares: str | Mapping[str, float] | None = None, assumed: Assumed | None = None
    ) -> None:
        if not isinstance(shares, str | Mapping | None):
            raise UserError(
                f"The target shares are {told_value(shares)}: give a number for each class by its "
                "name, or a file of them."
            )
        self.shares, self.assumed = shares, assumed

    def options(self) -> dict[str, Any]:
        """Return the class and its options; shares by name are among the values in any case."""
        found = super().options()
        return {**found, "shares": self.shares if isinstance(self.shares, str) else None}

    def refuse(self, model: LongTailModule) -> None:
        """Refuse shares that are not those of the model's classes, before anything is done."""
        self._target(model.class_names)

    def of_files(self, class_names: Sequence[str]) -> dict[str, Tensor]:
        """Return the target shares, float64 (C,)."""
        return {"target": torch.tensor(self._target(class_names), dtype=torch.float64)}

    def fit(self, model: LongTailModule, data: LongTailDataModule) -> dict[str, Tensor]:
        """Return the shares; no image is looked at."""
        return self.of_model(model)

    def of_model(self, model: LongTailModule) -> dict[str, Tensor]:
        """Return the target shares and those that the outputs assume, float64 (C,) each."""
        counts = torch.tensor(model.hparams["class_counts"], dtype=torch.float64)
        if self.assumed is None:
            assumed = told_shares(model)
        else:
            assumed = counts if self.assumed == "training" else torch.ones_like(counts)
        target = self.of_files(model.class_names)["target"]
        largest = int(assumed.argmax())
        log.info(
            "The run takes it that %.3g %% of the images are %s, its largest class, and %.3g %% of "
            "its smallest; now %s says the shares.",
            100 * float(assumed[largest] / assumed.sum()),
            printable(model.class_names[largest]),
            100 * float(assumed.min() / assumed.sum()),
            self.shares if isinstance(self.shares, str) else "target_prior",
        )
        never = (target > 0) & (assumed == 0)
        if bool(never.any()):
            raise UserError(
                f"The run takes it that {model.class_names[int(never.nonzero()[0])]!r} never "
                "occurs, so no share of it can follow: give --post_hoc.assumed training."
            )
        return {"target": target, "assumed": assumed / assumed.sum()}

    def _target(self, class_names: Sequence[str]) -> list[float]:
        if self.shares is None:
            raise UserError(
                "TargetPrior has no shares: give --post_hoc.shares FILE, with the share of each "
                "class."
            )
        if isinstance(self.shares, str):
            source, found = self.shares, read_shares(home(self.shares), class_names)
        else:
            source, found = "target_prior", {str(k): v for k, v in self.shares.items()}
        return in_order(found, class_names, source)

    def put(self, model: LongTailModule, values: Mapping[str, Tensor]) -> None:
        """Add log(s / a); a class with the share 0 gets -infinity."""
        target, assumed = (values[name].double().cpu() for name in ("target", "assumed"))
        if target.shape != (model.num_classes,) or not bool((target >= 0).all() & target.any()):
            raise ValueError(f"the target shares are not {model.num_classes} numbers from 0 on")
        occurs = target > 0
        ratio = target.log() - assumed.where(occurs, 1).log()
        shift = ratio.where(occurs, float("-inf")).float()
        follow(model, lambda logits: logits.float() + shift.to(logits.device))

    def log_shares_after(self, model: LongTailModule, before: Tensor) -> Tensor:
        """Return none of its own: nothing goes behind it."""
        return before

    def describe(self) -> str:
        """Return the name."""
        return "target_prior"
