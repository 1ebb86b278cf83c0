"""The one base of all methods: backbone, head, loss, schedule of the learning rate, metrics."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback
from lightning.pytorch.cli import OptimizerCallable
from torch import Tensor, nn

from lt_lightning.backbones import Backbone, ResNetCIFAR
from lt_lightning.backbones.weights import files_noted
from lt_lightning.data.datamodule import LongTailDataModule
from lt_lightning.engine.backbone_init import take_backbone
from lt_lightning.engine.changes import put_changes
from lt_lightning.engine.class_shares import (
    Drawn,
    check_draws,
    drawn_of,
    kept,
    own_stream,
    trained_log_shares,
)
from lt_lightning.engine.draws import step_generator
from lt_lightning.engine.epoch_rate import EpochRate, apply_factors
from lt_lightning.engine.evaluated import EvaluatedModule
from lt_lightning.engine.hyper_parameters import plain_hparams
from lt_lightning.engine.paired_streams import check_paired
from lt_lightning.engine.parts import check_features, check_widths
from lt_lightning.engine.rank_order import add_in_order
from lt_lightning.engine.scale import check_scale
from lt_lightning.engine.seen_data import check_same, keep_facts, warn_of_other_view
from lt_lightning.engine.sharded import GatheredEvaluation, shard
from lt_lightning.engine.single_image import check_single_images
from lt_lightning.errors import UserError
from lt_lightning.heads import LinearHead
from lt_lightning.heads.weight_norms import weight_norms
from lt_lightning.inputs import check_class_counts
from lt_lightning.losses import CrossEntropy, Loss
from lt_lightning.metrics import ShotGroups
from lt_lightning.recipes import LDAMRecipe
from lt_lightning.runs import fits
from lt_lightning.runs.checkpoint import DATA_STATE, leave_to_training, read
from lt_lightning.runs.past import Past, past_of, past_of_weights
from lt_lightning.schedule import Schedule
from lt_lightning.stages import Stage

BackboneFactory = Callable[[], Backbone]
HeadFactory = Callable[[int, int], nn.Module]
LossFactory = Callable[[Tensor], Loss]


class LongTailModule(EvaluatedModule):
    """Base of all methods; a method overrides `training_step`, and `forward` where it must.

    Without a Trainer a step is
    `module.set_epoch(epoch, epochs); module.training_step(batch, i)["loss"].backward();
    module.on_before_optimizer_step(optimizer); optimizer.step()`.

    Args:
        class_counts: training images per class, (C,); comes from the data module.
        class_names: C names; comes from the data module.
        groups: classes of each group; comes from the data module.
        backbone: makes the network from images (N, 3, H, W) to features (N, D).
        head: makes the classifier; called with (D, outputs of the loss).
        loss: makes the loss; called with class_counts.
        optimizer: makes the optimizer; called with the parameters that are trained. The default is
            that of the field.
        lr_schedule: factor of the learning rate per epoch.
        backbone_init: a finished run, or a checkpoint in it: the backbone starts with its weights
            and batch norm statistics instead of random ones, and all of it is trained.
        channels_last: memory layout of the images; faster on most devices, same numbers within
            rounding.
        compile: compile the backbone with torch.compile.
    """

    streams: tuple[str, ...] = ()  # the named samplers the method needs; empty is one stream
    num_stages: int = 1
    uses_unlabelled: bool = False  # whether it trains on data.unlabelled
    reweights_later: bool = False  # whether the class weights of the loss change in the run
    shards: bool = False  # whether it calls backbone and head as a whole alone: FSDP can part them

    def __init__(
        self,
        *,
        class_counts: Sequence[int],
        class_names: Sequence[str] | None = None,
        groups: dict[str, list[int]] | None = None,
        backbone: BackboneFactory = ResNetCIFAR,
        head: HeadFactory = LinearHead,
        loss: LossFactory = CrossEntropy,
        # A lambda that makes a class is written into config.yaml as that class.
        optimizer: OptimizerCallable = lambda params: torch.optim.SGD(
            params, lr=0.1, momentum=0.9, weight_decay=2e-4
        ),
        lr_schedule: Schedule = LDAMRecipe(),
        backbone_init: str | None = None,
        channels_last: bool = True,
        compile: bool = False,
    ) -> None:
        super().__init__()
        self.drawn: Drawn | None = None
        self.changed_log_shares: Tensor | None = None
        self.save_hyperparameters()
        plain_hparams(self)
        counts = check_class_counts(class_counts)
        self.class_names = list(class_names or map(str, range(len(counts))))
        self.head_factory, self.loss_factory = head, loss
        self.loss = loss(counts)
        with files_noted() as files:
            self.backbone = backbone()
        self._weight_files = files
        check_widths(self.backbone, self.loss)
        self.head = head(int(self.backbone.out_features), int(self.loss.num_outputs))
        check_scale(self.head, self.loss)
        self.optimizer_factory, self.lr_schedule = optimizer, lr_schedule
        self.backbone_init = backbone_init
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        self.backbone.to(memory_format=self.memory_format)
        if compile:
            self.backbone.compile()
        self.count_by(len(counts), ShotGroups()(counts) if groups is None else groups)

    def features(self, images: Tensor) -> Tensor:
        """Return the features the head sees at evaluation, (N, D)."""
        features: Tensor = self.backbone(self.arrange(images))
        if self.training:  # an export sees the network alone
            check_features(features, len(images), self.backbone)
        return features

    def arrange(self, images: Tensor) -> Tensor:
        """Return `images` in the memory layout of the network."""
        return images.contiguous(memory_format=self.memory_format)

    def forward(self, images: Tensor) -> Tensor:
        """Return the outputs of the head, (N, loss.num_outputs)."""
        outputs: Tensor = self.head(self.features(images))
        return outputs

    def predict_logits(self, images: Tensor) -> Tensor:
        """Return the logits that predictions are made from, (N, C)."""
        logits = self.loss.predict_logits(self(images))
        return logits if self.post_hoc is None else self.post_hoc(logits)

    def log_shares(self) -> Tensor:
        """Return the log class shares that the outputs assume, float64 (C,), up to a constant.

        They are right for images that are distributed so: as those of the training were drawn and
        weighted, less what the loss took out, unless a change after training has altered them. All
        are NaN where they cannot be told.
        """
        if self.changed_log_shares is not None:
            return self.changed_log_shares
        return trained_log_shares(self)

    def learned_stream(self, epoch: int) -> str | None:
        """Return the stream whose images and labels the classifier learns from as they are drawn.

        Args:
            epoch: 0-based.

        Returns:
            Its name, empty for one without a name; none where streams are mixed, or labels so that
            some classes gain: then it cannot be told which class shares the outputs assume.
        """
        return own_stream(self.streams, self.stage_at(epoch))

    def drawn_weights(self) -> Tensor | None:
        """Return what the method weighs the drawn images of each class by, float64 (C,).

        Without the class weights of the loss; none where all images count the same.
        """
        return None

    @property
    def last_loss(self) -> Loss:
        """The loss of the last epoch."""
        return self.loss

    def class_weights(self) -> Tensor | None:
        """Return the class weights of the loss, (C,) on the CPU; none where they are always 1."""
        if not isinstance(self.loss, Loss):  # of a method that has put one of torch there
            return None
        weights = self.loss.weight.detach().float().cpu()
        return weights if self.reweights_later or bool((weights != 1).any()) else None

    def weight_norms(self) -> Tensor | None:
        """Return the L2 norm of each class's weights, (C,), or none where that means nothing."""
        return weight_norms(self.head, self.num_classes)

    def configure_model(self) -> None:
        """Part the weights among the processes, where the strategy of the trainer asks for it."""
        if self.attached:
            shard(self, self.trainer)

    def configure_callbacks(self) -> list[Callback]:
        """Return what keeps evaluation in float32, and gathers weights in shards for it."""
        return [*super().configure_callbacks(), GatheredEvaluation()]

    def on_fit_start(self) -> None:
        """Refuse data that cannot be trained on, then take the weights of `backbone_init`.

        A run that goes on has its own weights.
        """
        add_in_order(self.trainer.strategy)
        for file in self._weight_files:
            with suppress(UserError):  # most are of no run
                self.past = self.past.after(past_of_weights(file) or Past())
        self.check_batches(self.stage_at(self.trainer.current_epoch))
        data = LongTailDataModule.of(self.trainer)
        if data is not None:
            check_draws(self, data)
        if self.backbone_init is not None and self.trainer.ckpt_path is None:
            content = read(self.backbone_init)
            if data is not None:
                warn_of_other_view(content, self.backbone_init, data, free=("image_size",))
            take_backbone(content, self.backbone_init, self.backbone)
            self.build_on(content, self.backbone_init)

    def build_on(self, content: dict[str, Any], path: str | Path | None = None) -> None:
        """Have behind it what the weights of a checkpoint have that it takes over or learns from.

        Args:
            content: the checkpoint.
            path: the file; of an earlier version, the folder of its run tells.
        """
        self.past = self.past.after(past_of(content, path) or Past())

    def used_more(self) -> bool:
        """Return whether its weights learned by now from what a method may not have."""
        return self.oracle

    def pairs_up(self, sizes: Mapping[str, int]) -> bool:
        """Return whether it can take batches of so many images of its streams together."""
        return True

    def check_batches(self, stage: Stage) -> None:
        """Refuse batches of `stage` that batch norm cannot work on, or that do not pair up."""
        data, limit = LongTailDataModule.of(self.trainer), self.trainer.limit_train_batches
        if data is not None:
            check_paired(self, data, stage, limit)
            check_single_images(self, data, stage, limit)

    def stage_features(self, loader: Iterable[tuple[Tensor, Tensor]]) -> Tensor:
        """Return the features of all images of `loader`, (N, D), as evaluation sees them."""
        was, plugin = self.training, self.trainer.precision_plugin
        self.eval()
        with torch.no_grad(), plugin.forward_context():
            batches = (plugin.convert_input(images) for images, _ in loader)
            found = torch.cat([self.features(images).float() for images in batches])
        self.train(was)
        return found

    @abstractmethod
    def training_step(self, batch: Any, batch_idx: int) -> Any:
        """Return the loss, or a dict with "loss" and its terms."""

    def stage_at(self, epoch: int) -> Stage:
        """Return the stage of `epoch`; most methods have one."""
        return Stage(1, 0, self.max_epochs)

    def step_generator(self, batch_idx: int, images: int | None = None) -> torch.Generator:
        """Return a generator for the random choices of one training step.

        It depends on the run's seed, the stage, the epoch and the batch alone, so a resumed run
        draws what an uninterrupted one draws, and several processes what one draws.

        Args:
            batch_idx: of the step.
            images: of this process, where each has a choice of its own, drawn by
                `lt_lightning.augment.rand` and its kin; none is for choices of the whole batch.
        """
        epoch, device = self.current_epoch, torch.device(self.device)
        return step_generator(self.stage_at(epoch), epoch, batch_idx, device, images)

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Refuse a step that returned nothing, or whose loss is in no record."""
        self._train_log.check(self, outputs)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep what `lt predict` and a resumed run must know of the data, and its past."""
        data = LongTailDataModule.of(self.trainer)
        if data is not None:
            keep_facts(checkpoint, data, drawn_of(self, data))
        self._past_by_now(data).keep(checkpoint)
        self._train_log.save(self.trainer, checkpoint)

    def on_train_end(self) -> None:
        """Note what was drawn and seen, for what becomes of the model as it is in memory."""
        data = LongTailDataModule.of(self.trainer)
        if data is not None:
            self.drawn = drawn_of(self, data)
        self.past = self._past_by_now(data)

    def _past_by_now(self, data: LongTailDataModule | None) -> Past:
        own = Past(test_seen=data is not None and data.monitor_test, oracle=self.used_more())
        return own.after(self.past)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse weights of another kind, and to go on with other training images."""
        if "state_dict" in checkpoint:  # a strategy of weights in shards has loaded it already
            fits.check_kinds(checkpoint["state_dict"], self.state_dict())
        if not self.attached:
            self.build_on(checkpoint)
            return
        # Lightning does so after it has loaded the weights, which would round those of float64.
        self.trainer.precision_plugin.convert_module(self)
        if self.trainer.state.fn == "fit":
            self._train_log.load(checkpoint)
            self.build_on(checkpoint, self.trainer.ckpt_path)
        else:
            leave_to_training(checkpoint, type(self.trainer.precision_plugin).__qualname__)
        data = LongTailDataModule.of(self.trainer)
        if data is not None:
            check_same(checkpoint, data, self.trainer.state.fn == "fit")

    def take(self, content: dict[str, Any]) -> None:
        """Take the weights of a checkpoint that was read, and what it was saved with."""
        self.on_load_checkpoint(content)
        self.load_state_dict(content["state_dict"])
        self.drawn = kept(content.get(DATA_STATE, {}), self.uses_unlabelled)
        put_changes(self, content)

    def check_predicts(self, content: dict[str, Any], path: str | Path) -> None:
        """Refuse a checkpoint that was read from `path`, if a method cannot predict with it yet."""

    def trained_parameters(self) -> list[Any]:
        """Return what the optimizer trains: parameters, or groups of them with own options.

        A group may have "lr_factor" beside what the optimizer knows.
        """
        return [p for p in self.parameters() if p.requires_grad]

    def configure_optimizers(self) -> Any:
        """Return the optimizer over what is trained, and the epoch-wise learning rate."""
        optimizer = self.optimizer_factory(self.trained_parameters())
        apply_factors(optimizer)
        scheduler = EpochRate(optimizer, self.lr_schedule, self.max_epochs)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler}}
