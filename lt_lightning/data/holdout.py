"""Training images set aside to choose models and fit post-hoc knobs on."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from lt_lightning.data.some_classes import some_of
from lt_lightning.errors import UserError
from lt_lightning.inputs import check_seed


class Holdout:
    """Held-out validation images, taken from the training images, never from the test split.

    Exactly one of `fraction` and `per_class` is given.

    Args:
        fraction: share of each class, in (0, 1); rounded, at least one image of each class that
            has two or more.
        per_class: images of each class, at least 1.
        when: "before" takes them from all training images before the imbalance profile, so they
            are balanced where the source is, and the profile starts from what is left (CIFAR-10:
            the head shrinks). "after" takes them from the long-tailed images, so they are
            long-tailed too with `fraction`; every class keeps at least one training image.
        seed: which images; apart from the training and the subset seed.
    """

    def __init__(
        self,
        fraction: float | None = None,
        per_class: int | None = None,
        when: Literal["before", "after"] = "after",
        seed: int = 0,
    ) -> None:
        if (fraction is None) == (per_class is None):
            raise UserError(
                f"holdout has fraction {fraction} and per_class {per_class}: give exactly one."
            )
        if fraction is not None and not 0 < fraction < 1:
            raise UserError(f"holdout.fraction is {fraction}: give a number between 0 and 1.")
        if per_class is not None and per_class < 1:
            raise UserError(f"holdout.per_class is {per_class}: give 1 or more.")
        self.fraction, self.per_class, self.when = fraction, per_class, when
        self.seed = check_seed("holdout.seed", seed)

    @property
    def told(self) -> str:
        """What was asked for, by the name of its option."""
        if self.per_class is not None:
            return f"data.holdout.per_class {self.per_class}"
        return f"data.holdout.fraction {self.fraction}"

    def counts(self, available: Tensor, names: Sequence[str] | None = None) -> Tensor:
        """Return how many images of each class are held out, int64 (C,).

        Args:
            available: images per class, int64 (C,).
            names: of the classes, for the message.

        Raises:
            UserError: if `per_class` leaves a class without a training image.
        """
        if self.per_class is not None:
            wanted = torch.full_like(available, self.per_class)
        else:
            wanted = (available * (self.fraction or 0.0)).round().to(torch.int64).clamp_min(1)
        taken = torch.minimum(wanted, available - 1).clamp_min(0)
        if self.per_class is not None and bool((taken < wanted).any()):
            short = (taken < wanted).nonzero().flatten().tolist()
            raise UserError(
                f"holdout.per_class {self.per_class} leaves no training image for {len(short)} "
                f"classes ({some_of(short, names)}): give a smaller number, or `fraction`."
            )
        return taken
