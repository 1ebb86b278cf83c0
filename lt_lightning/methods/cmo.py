"""Tail patches on head backgrounds."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from lt_lightning.augment import paste
from lt_lightning.augment.base import check_positive, check_range
from lt_lightning.engine.base import LongTailModule
from lt_lightning.engine.steps import mixed_loss, plain_loss
from lt_lightning.errors import UserError

Stream = tuple[Tensor, Tensor]


class CMO(LongTailModule):
    """Context-rich minority over-sampling: a box of a tail image is pasted on a common image.

    With probability p a batch is mixed: x = (1 - M) x_b + M x_f, M a box of area 1 - lambda,
    lambda ~ Beta(alpha, alpha), and L = lambda loss(z, y_b) + (1 - lambda) loss(z, y_f) with
    lambda recomputed from the pixels. The background comes from the stream `background`, the
    patch from the stream `foreground`, which favours the tail.

    Paper: Park et al., The Majority Can Help the Minority: Context-rich Minority Oversampling,
    CVPR 2022.

    Args:
        alpha: of the Beta distribution, above 0.
        probability: of a batch to be mixed, in [0, 1].
        plain_first: epochs at the start without mixing; 3 in the authors' code.
        plain_last: epochs at the end without mixing; 3 in the authors' code.
        kwargs: see LongTailModule.

    Raises:
        UserError: if the numbers are out of range.
    """

    streams = ("background", "foreground")
    shards = True

    def __init__(
        self,
        *,
        alpha: float = 1.0,
        probability: float = 0.5,
        plain_first: int = 3,
        plain_last: int = 3,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_positive("alpha", alpha)
        check_range("probability", probability, 0, 1)
        if plain_first < 0 or plain_last < 0:
            raise UserError(
                f"plain_first is {plain_first} and plain_last {plain_last}: give 0 or more epochs."
            )
        self.paste_alpha, self.probability = alpha, probability
        self.plain_first, self.plain_last = plain_first, plain_last

    def pairs_up(self, sizes: Mapping[str, int]) -> bool:
        """Return whether each background has a foreground; the rest of those is left out."""
        return sizes["foreground"] >= sizes["background"]

    def learned_stream(self, epoch: int) -> str | None:
        """Return `background` in an epoch without patches; a mixed one has none."""
        return None if self._mixes(epoch) else "background"

    def _mixes(self, epoch: int) -> bool:
        inside = self.plain_first <= epoch < self.max_epochs - self.plain_last
        return inside and self.probability > 0

    def training_step(self, batch: dict[str, Stream], batch_idx: int) -> dict[str, Tensor]:
        """Return the loss of one batch of backgrounds, with or without patches."""
        images, targets = batch["background"]
        if not self._mixes(self.current_epoch):
            return self.log_train(len(targets), loss=plain_loss(self, images, targets))
        mixed = paste(
            batch["background"],
            batch["foreground"],
            self.step_generator(batch_idx),
            alpha=self.paste_alpha,
            probability=self.probability,
        )
        return self.log_train(len(targets), loss=mixed_loss(self, mixed))
