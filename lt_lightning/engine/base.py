"""The one base of all methods: backbone, head, loss, schedule of the learning rate, metrics."""

import os
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import lightning as L
import torch
from lightning.pytorch import Callback
from lightning.pytorch.cli import OptimizerCallable
from torch import Tensor, nn

from lt_lightning.backbones import Backbone, ResNetCIFAR
from lt_lightning.data.datamodule import LongTailDataModule
from lt_lightning.data.loader import EvalLoader, derive_seed
from lt_lightning.engine.backbone_init import take_backbone
from lt_lightning.engine.epoch_rate import EpochRate
from lt_lightning.engine.epoch_sums import EpochSums
from lt_lightning.engine.float32 import Float32Evaluation
from lt_lightning.engine.hyper_parameters import plain_hparams
from lt_lightning.engine.scale import check_scale
from lt_lightning.engine.single_image import check_single_images
from lt_lightning.errors import UserError
from lt_lightning.heads import LinearHead
from lt_lightning.inputs import check_class_counts
from lt_lightning.losses import CrossEntropy, Loss
from lt_lightning.metrics import ClassStats, ConfusionCounts, ShotGroups
from lt_lightning.mid_epoch import in_mid_epoch
from lt_lightning.recipes import LDAMRecipe
from lt_lightning.runs import fits
from lt_lightning.runs.checkpoint import DATA_STATE, read
from lt_lightning.schedule import Schedule
from lt_lightning.stages import Stage

BackboneFactory = Callable[[], Backbone]
HeadFactory = Callable[[int, int], nn.Module]
LossFactory = Callable[[Tensor], Loss]
_SUMS = "lt_epoch_sums"  # the key of what an unfinished epoch has logged, in a checkpoint
_MAX_CONFUSION = 1000  # a C x C table of counts stays below 8 MB


def run_seed() -> int:
    """Return the seed of the run."""
    return int(os.environ.get("PL_GLOBAL_SEED", "0"))  # where Lightning keeps it


class LongTailModule(L.LightningModule):
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
    tests_in_float32: bool = True  # whatever the precision of the trainer, as validation does
    num_stages: int = 1

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
        self.save_hyperparameters()
        plain_hparams(self)
        counts = check_class_counts(class_counts)
        self.num_classes = len(counts)
        self.class_names = list(class_names or map(str, range(self.num_classes)))
        self.head_factory, self.loss_factory = head, loss
        self.loss = loss(counts)
        self.backbone = backbone()
        self.head = head(self.backbone.out_features, self.loss.num_outputs)
        check_scale(self.head, self.loss)
        self.optimizer_factory, self.lr_schedule = optimizer, lr_schedule
        self.backbone_init = backbone_init
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        self.backbone.to(memory_format=self.memory_format)
        if compile:
            self.backbone.compile()
        members = ShotGroups()(counts) if groups is None else groups
        self._sums = EpochSums()
        self._own_epoch, self._own_epochs = 0, 1  # of a loop without a Trainer
        self.post_hoc: Callable[[Tensor], Tensor] | None = None
        self.val_stats = ClassStats(self.num_classes, groups=members)
        self.test_stats = ClassStats(self.num_classes, groups=members)
        self.test_confusion = (
            ConfusionCounts(self.num_classes) if self.num_classes <= _MAX_CONFUSION else None
        )

    def features(self, images: Tensor) -> Tensor:
        """Return the features the head sees at evaluation, (N, D)."""
        features: Tensor = self.backbone(self.arrange(images))
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

    def on_fit_start(self) -> None:
        """Take the weights of `backbone_init`; a run that goes on has its own."""
        self.check_batches(self.stage_at(self.trainer.current_epoch))
        if self.backbone_init is not None and self.trainer.ckpt_path is None:
            take_backbone(read(self.backbone_init), self.backbone_init, self.backbone)

    def check_batches(self, stage: Stage) -> None:
        """Refuse a batch of one image in `stage` that batch norm cannot work on."""
        data = getattr(self.trainer, "datamodule", None)
        if isinstance(data, LongTailDataModule):
            check_single_images(self, data, stage, self.trainer.limit_train_batches)

    def stage_features(self, loader: EvalLoader) -> Tensor:
        """Return the features of all images of `loader`, (N, D), as evaluation sees them."""
        was = self.training
        self.eval()
        with torch.no_grad(), self.trainer.precision_plugin.forward_context():
            found = torch.cat([self.features(images).float() for images, _ in loader])
        self.train(was)
        return found

    def configure_callbacks(self) -> list[Callback]:
        """Return what keeps evaluation in float32."""
        return [Float32Evaluation(self.tests_in_float32)]

    @abstractmethod
    def training_step(self, batch: Any, batch_idx: int) -> Any:
        """Return the loss, or a dict with "loss" and its terms."""

    @property
    def attached(self) -> bool:
        """Whether a Trainer runs this module; a loop without one tells the epoch by `set_epoch`."""
        return self._trainer is not None

    def set_epoch(self, epoch: int, max_epochs: int) -> None:
        """Begin an epoch in a loop without a Trainer.

        Where this begins another stage the optimizer is to be made anew, for the parameters that
        are trained are others.

        Args:
            epoch: 0-based.
            max_epochs: epochs of the run, at least 1.
        """
        self._own_epoch, self._own_epochs = epoch, max_epochs

    @property
    def current_epoch(self) -> int:
        """The epoch, 0-based."""
        return super().current_epoch if self.attached else self._own_epoch

    @property
    def max_epochs(self) -> int:
        """Epochs of the run, at least 1."""
        return max(self.trainer.max_epochs or 1, 1) if self.attached else self._own_epochs

    def log(self, *args: Any, **kwargs: Any) -> None:
        """Log one value, as Lightning does; nothing in a loop without a Trainer."""
        if self.attached:
            super().log(*args, **kwargs)

    def stage_at(self, epoch: int) -> Stage:
        """Return the stage of `epoch`; most methods have one."""
        return Stage(1, 0, self.max_epochs)

    def step_generator(self, batch_idx: int) -> torch.Generator:
        """Return a generator for the random choices of one training step.

        It depends on the run's seed, the stage, the epoch, the batch and the process alone, so a
        resumed run draws what an uninterrupted one draws.
        """
        stage = self.stage_at(self.current_epoch)
        epoch = self.current_epoch - stage.first_epoch
        keys = (run_seed(), epoch, batch_idx, self.global_rank)
        later = (stage.number,) if stage.number > 1 else ()
        return torch.Generator(self.device).manual_seed(derive_seed(*keys, *later))

    def log_train(self, count: int, **terms: Tensor) -> dict[str, Tensor]:
        """Log the mean of each term over the epoch, and its learning rate, and return the terms.

        Only "loss" keeps its graph: the others would hold that of the whole step.
        """
        if self.attached:
            self._log_terms(count, terms)
        return {name: v if name == "loss" else v.detach() for name, v in terms.items()}

    def _log_terms(self, count: int, terms: dict[str, Tensor]) -> None:
        earlier, means = self._sums.take_earlier(self.current_epoch)
        for name, mean in means.items():  # of an epoch that was stopped in its middle
            if name in terms:
                self._log_mean(name, terms[name].detach().new_tensor(mean), earlier)
        self._sums.add(self.current_epoch, count, terms)
        for name, value in terms.items():
            self._log_mean(name, value.detach(), count)
        # In the step, for an epoch that is resumed in its middle has no start. The largest of equal
        # values has no rounding.
        rate = float(self.trainer.optimizers[0].param_groups[0]["lr"])
        self.log(
            "train/lr",
            rate,
            on_step=False,
            on_epoch=True,
            sync_dist=True,
            reduce_fx="max",
            batch_size=1,
        )

    def _log_mean(self, name: str, value: Tensor, count: int) -> None:
        self.log(
            f"train/{name}",
            value,
            on_step=False,
            on_epoch=True,
            sync_dist=True,
            batch_size=count,
            prog_bar=name == "loss",
        )

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """Count one batch."""
        images, targets = batch
        self.val_stats.update(self.predict_logits(images), targets)

    def on_validation_epoch_end(self) -> None:
        """Log the metrics of the held-out images."""
        self._log_stats("val", self.val_stats)

    def test_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor | None:
        """Count one batch; logits (N, C) that are returned are shown beside the images."""
        images, targets = batch
        return self.count_test(self.predict_logits(images), targets)

    def count_test(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Count one batch of test images, and return its logits."""
        self.test_stats.update(logits, targets)
        if self.test_confusion is not None:
            self.test_confusion.update(logits, targets)
        return logits

    def on_test_epoch_start(self) -> None:
        """Forget the counts of an earlier test; they are kept after one, for the reports."""
        self.test_stats.reset()
        if self.test_confusion is not None:
            self.test_confusion.reset()

    def on_test_epoch_end(self) -> None:
        """Log the metrics of the test images."""
        self._log_stats("test", self.test_stats, reset=False)

    def _log_stats(self, split: str, stats: ClassStats, reset: bool = True) -> None:
        values = {f"{split}/{name}": value for name, value in stats.compute().items()}
        # The counts are summed over the processes already; every process logs the same values.
        self.log_dict(values, sync_dist=True)
        if reset:
            stats.reset()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep what `lt predict` and a resumed run must know of the data."""
        data = getattr(self.trainer, "datamodule", None)
        if isinstance(data, LongTailDataModule):
            own = {"test_fingerprint": data.test_fingerprint}
            checkpoint[DATA_STATE] = {**data.facts(), **own}
        if in_mid_epoch(self.trainer):
            checkpoint[_SUMS] = self._sums.state(self.trainer)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse weights of another kind, and to go on with other training images."""
        fits.check_kinds(checkpoint["state_dict"], self.state_dict())
        data = getattr(self._trainer, "datamodule", None)
        saved = checkpoint.get(DATA_STATE, {}).get("fingerprint")
        fitting = self._trainer is not None and self._trainer.state.fn == "fit"
        if fitting and _SUMS in checkpoint:
            self._sums.load(checkpoint[_SUMS], first=self.trainer.is_global_zero)
        if not isinstance(data, LongTailDataModule):
            return
        fits.check_view(checkpoint.get(DATA_STATE, {}), data.facts())
        if saved not in (None, data.fingerprint):
            raise UserError(
                f"The checkpoint was trained on the images {saved} but the data are "
                f"{data.fingerprint}: use the data, profile and seeds of that run."
            )

    def take(self, content: dict[str, Any]) -> None:
        """Take the weights of a checkpoint that was read."""
        self.on_load_checkpoint(content)
        self.load_state_dict(content["state_dict"])

    def predict_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        """Return the class probabilities, (N, C)."""
        return self.predict_logits(batch[0]).float().softmax(dim=1)

    def trained_parameters(self) -> list[Any]:
        """Return what the optimizer trains: parameters, or groups of them with own options."""
        return [p for p in self.parameters() if p.requires_grad]

    def configure_optimizers(self) -> Any:
        """Return the optimizer over what is trained, and the epoch-wise learning rate."""
        optimizer = self.optimizer_factory(self.trained_parameters())
        scheduler = EpochRate(optimizer, self.lr_schedule, self.max_epochs)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler}}
