"""Plain training with any loss, sampler, mixing and augmentation."""

from typing import Any

from torch import Tensor

from lt_lightning.augment import Mixing
from lt_lightning.errors import UserError
from lt_lightning.losses import WeightRule
from lt_lightning.methods.base import LongTailModule
from lt_lightning.methods.steps import mixed_loss, plain_loss
from lt_lightning.schedule import Schedule, StepAt

Stream = tuple[Tensor, Tensor]


class ERM(LongTailModule):
    """One network, one stream, any loss: cross-entropy is the baseline of every table.

    L = loss(head(backbone(x)), y); with mixing
    L = share loss(z, y_a) + (1 - share) loss(z, y_b), z of the mixed images.
    Deferred re-weighting (DRW) gives the loss its class weights late in the run.

    Paper: the baseline; DRW: Cao et al., LDAM-DRW, NeurIPS 2019, Algorithm 1; mixup and its
    variants: one paper each, see their classes.

    Args:
        mixing: mixes the images of a batch and their labels; none is plain training.
        mixing_schedule: 1 in epochs that are mixed, 0 in others; none is always 1. StepAt(at: 0.9,
            before: 1, after: 0) is mixup followed by fine-tuning without it.
        deferred_weights: the class weights that the loss gets late in the run.
        deferral: 0 until the weights come, 1 from then on; the first epoch of the last fifth.
        kwargs: see LongTailModule.

    Raises:
        UserError: if a loss that needs the features is mixed inside the network.
    """

    def __init__(
        self,
        *,
        mixing: Mixing | None = None,
        mixing_schedule: Schedule | None = None,
        deferred_weights: WeightRule | None = None,
        deferral: Schedule = StepAt(),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.mixing, self.mixing_schedule = mixing, mixing_schedule
        self.deferred_weights, self.deferral = deferred_weights, deferral
        self._deferred = False
        if deferred_weights is not None and bool((self.loss.weight != 1).any()):
            raise UserError(
                f"{type(self.loss).__name__} has class weights from the start and deferred_weights "
                "too: give one of them."
            )

    def _set_weights(self) -> None:
        """Switch the class weights by the epoch, also where a run is resumed in mid-epoch."""
        if self.deferred_weights is None:
            return
        late = self.deferral(self.current_epoch, self.max_epochs) > 0
        if late != self._deferred:
            self.loss.set_weights(self.deferred_weights if late else None)
            self._deferred = late

    def _mixing_now(self) -> Mixing | None:
        schedule = self.mixing_schedule
        mixed = schedule is None or schedule(self.current_epoch, self.max_epochs) > 0
        return self.mixing if mixed else None

    def training_step(self, batch: Stream, batch_idx: int) -> dict[str, Tensor]:
        """Return the loss of one batch."""
        images, targets = batch
        self._set_weights()
        mixing = self._mixing_now()
        if mixing is None:
            return self.log_train(len(targets), loss=plain_loss(self, images, targets))
        generator = self.step_generator(batch_idx)
        mixed = mixing(images, targets, self.loss.class_counts, generator)
        return self.log_train(len(targets), loss=mixed_loss(self, mixed))
