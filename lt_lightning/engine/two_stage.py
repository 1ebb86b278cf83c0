"""What the methods in two stages share: one fit that changes over at an epoch."""

import logging
from abc import abstractmethod
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.cli import OptimizerCallable
from torch import Tensor, nn

from lt_lightning.augment import Mixing
from lt_lightning.augment.mixing import keeps_shares
from lt_lightning.data.reader import derive_seed
from lt_lightning.engine.base import LongTailModule, LossFactory
from lt_lightning.engine.draws import run_seed
from lt_lightning.engine.epoch_rate import EpochRate, apply_factors
from lt_lightning.engine.freezing import BNMode, Freezing
from lt_lightning.engine.scale import check_scale
from lt_lightning.engine.stage1 import STAGE, take_over, warn_of_other_images
from lt_lightning.engine.stage_switch import begin_anew, check_trainer
from lt_lightning.engine.steps import mixed_loss, plain_loss
from lt_lightning.engine.whole_batch import mix
from lt_lightning.errors import UserError
from lt_lightning.losses import CrossEntropy
from lt_lightning.recipes import CosineRecipe
from lt_lightning.runs.checkpoint import read
from lt_lightning.schedule import Schedule
from lt_lightning.stages import Stage

log = logging.getLogger(__name__)


class TwoStage(LongTailModule):
    """Base of the methods in two stages: the whole network first, then its classifier.

    Stage 1 is plain training, with mixing where asked for. At the first epoch of stage 2 the
    backbone is frozen, the classifier and the loss are changed, and optimizer, learning rate and
    sampler begin anew. One fit ends with the same weights as two fits by hand. The stage is in
    the checkpoint, so a stopped run goes on in the stage it was in.

    Args:
        stage1_epochs: length of stage 1.
        stage2_epochs: length of stage 2.
        stage1_ckpt: a run or checkpoint with this backbone: stage 1 is skipped.
        mixing: mixes the batches of stage 1.
        stage2_loss: makes the loss of stage 2.
        stage2_mixing: mixes the batches of stage 2.
        stage2_mixing_epochs: in its first so many epochs; none is all of them.
        stage2_optimizer: makes the optimizer of stage 2.
        stage2_lr_schedule: factor of its learning rate per epoch of stage 2.
        stage2_augment: whether stage 2 augments its images. Without, and with fixed features,
            these are computed once.
        bn_mode: batch norm of the frozen layers: "eval" keeps the statistics of stage 1,
            "update_stats" moves them, "train_affine" trains gamma and beta too.
        trained_from: the first part of the backbone that stage 2 trains too; "all" is all of it.
        backbone_lr_factor: of the learning rate of these parts.
        kwargs: see LongTailModule.
    """

    streams = ("stage1", "stage2")
    num_stages = 2
    needs_first_head = True  # whether stage 2 builds on the classifier of stage 1

    def __init__(
        self,
        *,
        stage1_epochs: int = 200,
        stage2_epochs: int = 30,
        stage1_ckpt: str | None = None,
        mixing: Mixing | None = None,
        stage2_loss: LossFactory = CrossEntropy,
        stage2_mixing: Mixing | None = None,
        stage2_mixing_epochs: int | None = None,
        stage2_optimizer: OptimizerCallable = lambda params: torch.optim.SGD(
            params, lr=0.1, momentum=0.9, weight_decay=5e-4
        ),
        stage2_lr_schedule: Schedule = CosineRecipe(),
        stage2_augment: bool = True,
        bn_mode: BNMode = "update_stats",
        trained_from: str | None = None,
        backbone_lr_factor: float = 0.01,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if stage1_epochs < 1 or stage2_epochs < 1:
            raise UserError(
                f"stage1_epochs is {stage1_epochs} and stage2_epochs {stage2_epochs}: give at "
                "least 1 each, or skip stage 1 by stage1_ckpt."
            )
        if stage1_ckpt is not None and self.backbone_init is not None:
            raise UserError(
                "stage1_ckpt and backbone_init are both given: the first brings its backbone, so "
                "leave out the second."
            )
        self.stage, self.stage1_ckpt = 1, stage1_ckpt
        self.stage1_epochs = 0 if stage1_ckpt else stage1_epochs
        self.stage2_epochs = stage2_epochs
        self.mixing, self.stage2_mixing = mixing, stage2_mixing
        self.stage2_mixing_epochs = stage2_mixing_epochs
        self.stage2_loss, self.stage2_optimizer = stage2_loss, stage2_optimizer
        self.stage2_lr_schedule, self.stage2_augment = stage2_lr_schedule, stage2_augment
        self.freezing = Freezing(bn_mode, trained_from)
        self.backbone_lr_factor = backbone_lr_factor
        self.freezing.parts(self.backbone)  # an unknown name is refused here

    @abstractmethod
    def second_head(self, first: nn.Module) -> nn.Module:
        """Return the classifier of stage 2, given that of stage 1."""

    def second_groups(self) -> list[dict[str, Any]]:
        """Return the parameter groups of the classifier in stage 2.

        A group may have "lr_factor" beside what the optimizer knows.
        """
        return [{"params": [p for p in self.head.parameters() if p.requires_grad]}]

    def stage_at(self, epoch: int) -> Stage:
        """Return the stage of `epoch`."""
        if epoch < self.stage1_epochs:
            return Stage(1, 0, self.stage1_epochs, "stage1")
        return Stage(
            2,
            self.stage1_epochs,
            self.stage2_epochs,
            "stage2",
            augment=self.stage2_augment,
            full_data=self.oracle,
            features=self._features_are_fixed(),
        )

    def used_more(self) -> bool:
        """Return whether it is an oracle that has begun stage 2; stage 1 is that of any method."""
        return self.oracle and self.stage == 2

    def _features_are_fixed(self) -> bool:
        plain = not self.stage2_augment and self.stage2_mixing is None
        frozen = self.freezing.trained_from is None and self.freezing.bn_mode == "eval"
        return plain and frozen

    def setup(self, stage: str) -> None:
        """Check that the run can change over, and take over stage 1 where it is skipped."""
        if stage != "fit":
            return
        check_trainer(self.trainer, self.stage1_epochs, self.stage2_epochs)
        # The loader of an epoch is that of its stage.
        self.trainer.reload_dataloaders_every_n_epochs = 1  # type: ignore[attr-defined]
        if self.stage1_ckpt is not None and self.stage == 1:
            # A run that goes on does without this file; that it does is known in on_fit_start.
            if Path(self.stage1_ckpt).is_file():
                content = read(self.stage1_ckpt)
                warn_of_other_images(content, self.stage1_ckpt, self)
                taken = take_over(content, self.stage1_ckpt, self, needs_head=self.needs_first_head)
                log.info("%s: took %s", self.stage1_ckpt, taken)
                self.build_on(content, self.stage1_ckpt)
            self.enter(2)

    def on_fit_start(self) -> None:
        """Refuse to start at stage 2 without the weights of stage 1."""
        super().on_fit_start()
        if self.stage == 1:  # a mistake of stage 2 is told before stage 1 is trained
            self.freezing.set_modes(self.backbone)
            self.check_batches(self.stage_at(self.stage1_epochs))
            self.train()
        if self.stage1_ckpt is not None and self.trainer.ckpt_path is None:
            read(self.stage1_ckpt)  # says what is wrong with it

    def enter(self, stage: int) -> None:
        """Change the network over to `stage`; the weights of a new classifier follow the seed."""
        device = self.device
        counts = self.loss.class_counts.cpu()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive_seed(run_seed(), stage))
            if stage == 1:
                self.loss = self.loss_factory(counts)
                self.head = self.head_factory(self.backbone.out_features, self.loss.num_outputs)
                self.requires_grad_(True)
            else:
                self.head = self.second_head(self.head)
                self.loss = self.stage2_loss(counts)
        check_scale(self.head, self.loss)
        dtype = next(self.backbone.parameters()).dtype  # a Trainer may have cast, evaluation does
        self.head.to(device, dtype)
        self.loss.to(device, dtype)
        self.stage = stage
        if stage == 2:
            self.freezing.apply(self.backbone)
        self.train(self.training)

    def back_to_stage1(self, content: dict[str, Any], path: str) -> bool:
        """Take the weights that stage 2 began with; return whether the classifier fits too."""
        self.enter(1)
        return take_over(content, path, self, needs_head=False).whole

    def set_frozen_modes(self) -> None:
        """Leave frozen layers as stage 2 has them."""
        if self.stage == 2:
            self.freezing.set_modes(self.backbone)

    def on_train_start(self) -> None:
        """Say which stage the run begins or goes on in."""
        if self.stage_at(self.current_epoch).number == self.stage:
            _say(self.stage_at(self.current_epoch))

    def on_train_epoch_start(self) -> None:
        """Change over where the stage begins, and see that frozen layers are as they must be."""
        stage = self.stage_at(self.current_epoch)
        if stage.number != self.stage:
            self.enter(stage.number)
            begin_anew(self.trainer, self)
            _say(stage)
        self.train()

    def set_epoch(self, epoch: int, max_epochs: int) -> None:
        """Begin an epoch in a loop without a Trainer, and change over where its stage begins."""
        super().set_epoch(epoch, max_epochs)
        stage = self.stage_at(epoch).number
        if stage != self.stage:
            self.enter(stage)

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Log the stage; an epoch that is resumed in its middle has no start."""
        self.log("stage", float(self.stage), on_step=False, on_epoch=True, batch_size=1)

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> dict[str, Tensor]:
        """Return the loss of one batch; in stage 2 the images may be features."""
        images, targets = batch
        mixing = self._mixing_at(self.current_epoch)
        if self.stage == 2 and self.stage_at(self.current_epoch).features:
            value: Tensor = self.loss(self.head(images), targets, features=images)
        elif mixing is None:
            value = plain_loss(self, images, targets)
        else:
            counts, generator = self.loss.class_counts, self.step_generator(batch_idx)
            value = mixed_loss(self, mix(mixing, images, targets, counts, generator))
        return self.log_train(len(targets), loss=value)

    def _mixing_at(self, epoch: int) -> Mixing | None:
        if epoch < self.stage1_epochs:
            return self.mixing
        within, length = epoch - self.stage1_epochs, self.stage2_mixing_epochs
        return self.stage2_mixing if length is None or within < length else None

    def learned_stream(self, epoch: int) -> str | None:
        """Return that of the stage; none where its labels are mixed so that some classes gain."""
        return super().learned_stream(epoch) if keeps_shares(self._mixing_at(epoch)) else None

    def configure_optimizers(self) -> Any:
        """Return the optimizer of the stage, and its learning rate by the epoch within it."""
        if self.stage == 1:
            optimizer = self.optimizer_factory(list(self.parameters()))
            schedule, epochs = self.lr_schedule, self.stage1_epochs
        else:
            optimizer = self.stage2_optimizer(self._second_groups())
            apply_factors(optimizer)
            schedule, epochs = self.stage2_lr_schedule, self.stage2_epochs
        scheduler = EpochRate(optimizer, schedule, epochs)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler}}

    def _second_groups(self) -> list[dict[str, Any]]:
        trained = [p for p in self.backbone.parameters() if p.requires_grad]
        factor = self.backbone_lr_factor if self.freezing.trained_from else 1.0
        tail = [{"params": trained, "lr_factor": factor}] if trained else []
        return [*self.second_groups(), *tail]

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the stage."""
        super().on_save_checkpoint(checkpoint)
        checkpoint[STAGE] = self.stage

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the form of the checkpoint's stage; optimizers are made after this."""
        super().on_load_checkpoint(checkpoint)
        stage = int(checkpoint.get(STAGE, 1))
        if stage != self.stage:
            self.enter(stage)


def _say(stage: Stage) -> None:
    first, last = stage.first_epoch + 1, stage.first_epoch + stage.epochs
    log.info("stage %d of 2: epochs %d to %d", stage.number, first, last)
