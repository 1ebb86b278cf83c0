"""Plain training with any loss, sampler, mixing and augmentation."""

from typing import Any, Literal

import torch
from torch import Tensor

from lt_lightning.augment import Mixing
from lt_lightning.augment.mixing import keeps_shares
from lt_lightning.data import LongTailDataModule
from lt_lightning.engine.base import LongTailModule, LossFactory
from lt_lightning.engine.class_means import check_start, means_of
from lt_lightning.engine.scale import check_scale
from lt_lightning.engine.sharded import placed_as
from lt_lightning.engine.steps import mixed_loss, plain_loss
from lt_lightning.engine.whole_batch import mix
from lt_lightning.errors import UserError
from lt_lightning.losses import Loss, WeightRule
from lt_lightning.schedule import Schedule, StepAt
from lt_lightning.tuning import Tuning

Stream = tuple[Tensor, Tensor]


class ERM(LongTailModule):
    """One network, one stream, any loss: cross-entropy is the baseline of every table.

    L = loss(head(backbone(x)), y); with mixing
    L = share loss(z, y_a) + (1 - share) loss(z, y_b), z of the mixed images.
    Deferred re-weighting (DRW) gives the loss its class weights late in the run; a deferred loss,
    such as the influence-balanced one, takes over from the first one late in the run.

    Paper: the baseline; DRW: Cao et al., LDAM-DRW, NeurIPS 2019, Algorithm 1; mixup and its
    variants: one paper each, see their classes.

    Args:
        mixing: mixes the images of a batch and their labels; none is plain training.
        mixing_schedule: 1 in epochs that are mixed, 0 in others; none is always 1. StepAt(at: 0.9,
            before: 1, after: 0) is mixup followed by fine-tuning without it.
        deferred_weights: the class weights that the loss gets late in the run.
        deferred_loss: makes the loss of the later part of the run; called with class_counts. It
            trains the same head, and has its own class weights.
        deferral: 0 until weights or loss change, 1 from then on; the first epoch of the last
            fifth.
        tuning: what of a pre-trained backbone is trained; none is all of it.
        head_start: "class_means" gives a cosine head the mean features of the training images as
            its rows before the first step, "random" leaves it as it is.
        kwargs: see LongTailModule.

    Raises:
        UserError: if class weights are given twice, or if the two losses need different heads.
    """

    shards = True
    tuning: Tuning | None = None

    def __init__(
        self,
        *,
        mixing: Mixing | None = None,
        mixing_schedule: Schedule | None = None,
        deferred_weights: WeightRule | None = None,
        deferred_loss: LossFactory | None = None,
        deferral: Schedule = StepAt(),
        tuning: Tuning | None = None,
        head_start: Literal["random", "class_means"] = "random",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.mixing, self.mixing_schedule = mixing, mixing_schedule
        self.deferred_weights, self.deferral = deferred_weights, deferral
        self.reweights_later = deferred_weights is not None
        self._deferred: bool | None = None  # not known: the weights may be those of a checkpoint
        self.deferred_loss = deferred_loss and deferred_loss(self.loss.class_counts)
        self._check_deferral()
        self.tuning, self.head_start = tuning, head_start
        if head_start == "class_means":
            check_start(self.head, self.loss.num_outputs, self.num_classes)
        if tuning is not None:
            if tuning.adds and self.backbone_init is not None:
                raise UserError(
                    f"{type(tuning).__name__} adds parts to the backbone, and backbone_init has a "
                    "backbone without them: give its weights by --model.backbone.weights FILE."
                )
            tuning.prepare(self.backbone, self.num_classes)
            self.train()

    def set_frozen_modes(self) -> None:
        """Leave what the tuning freezes as in evaluation."""
        if self.tuning is not None:
            self.tuning.set_modes(self.backbone)

    def on_fit_start(self) -> None:
        """Start the head from the class means; a run that goes on has its own."""
        super().on_fit_start()
        if self.head_start == "class_means" and self.trainer.ckpt_path is None:
            data = LongTailDataModule.of(self.trainer)
            assert data is not None, "means need the images that the run is trained on"
            loader = data.whole("train")
            features = self.stage_features(loader)
            targets = loader.images.labels.to(features.device)
            with torch.no_grad():
                means = means_of(features, targets, self.num_classes)
                weight = self.head.weight
                weight.copy_(placed_as(means, weight))  # type: ignore[operator]

    def on_train_epoch_start(self) -> None:
        """See that frozen layers are as they must be; Lightning undoes it after a validation."""
        if self.tuning is not None:
            self.train()

    def trained_parameters(self) -> list[Any]:
        """Return what the optimizer trains: the classifier and what the tuning chooses."""
        if self.tuning is None:
            return super().trained_parameters()
        inside = {id(parameter) for parameter in self.backbone.parameters()}
        rest = [p for p in self.parameters() if p.requires_grad and id(p) not in inside]
        return [{"params": rest}, *self.tuning.groups(self.backbone)]

    @property
    def last_loss(self) -> Loss:
        """The deferred loss, where there is one."""
        return self.deferred_loss or self.loss

    def _check_deferral(self) -> None:
        first, second = self.loss, self.deferred_loss
        name = type(first).__name__
        if self.deferred_weights is not None and bool((first.weight != 1).any()):
            raise UserError(
                f"{name} has class weights from the start and deferred_weights too: give one of "
                "them."
            )
        if second is None:
            return
        if self.deferred_weights is not None:
            raise UserError(
                f"deferred_weights and deferred_loss {type(second).__name__} are both given: give "
                "the deferred loss its own weights."
            )
        check_scale(self.head, second)
        if first.num_outputs != second.num_outputs:
            raise UserError(
                f"{name} needs a head of {first.num_outputs} outputs and the deferred loss "
                f"{type(second).__name__} one of {second.num_outputs}: give losses that share one."
            )

    def _loss_now(self) -> Loss:
        """Return the loss of the epoch, also where a run is resumed in mid-epoch."""
        late = self.deferral(self.current_epoch, self.max_epochs) > 0
        if self.deferred_loss is not None:
            return self.deferred_loss if late else self.loss
        if self.deferred_weights is not None and late != self._deferred:
            self.loss.set_weights(self.deferred_weights if late else None)
            self._deferred = late
        return self.loss

    def _mixing_at(self, epoch: int) -> Mixing | None:
        schedule = self.mixing_schedule
        mixed = schedule is None or schedule(epoch, self.max_epochs) > 0
        return self.mixing if mixed else None

    def learned_stream(self, epoch: int) -> str | None:
        """Return the one stream; none where its labels are mixed so that some classes gain."""
        return super().learned_stream(epoch) if keeps_shares(self._mixing_at(epoch)) else None

    def training_step(self, batch: Stream, batch_idx: int) -> dict[str, Tensor]:
        """Return the loss of one batch."""
        images, targets = batch
        loss, mixing = self._loss_now(), self._mixing_at(self.current_epoch)
        if mixing is None:
            return self.log_train(len(targets), loss=plain_loss(self, images, targets, loss))
        generator = self.step_generator(batch_idx)
        mixed = mix(mixing, images, targets, self.loss.class_counts, generator)
        return self.log_train(len(targets), loss=mixed_loss(self, mixed, loss))
