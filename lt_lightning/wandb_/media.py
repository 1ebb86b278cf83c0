"""Tables, figures and images of a run on Weights & Biases."""

import io
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import WandbLogger
from torch import Tensor

from lt_lightning.callbacks.outcome import Outcome, reported
from lt_lightning.callbacks.run_record import RunRecord
from lt_lightning.engine.evaluated import EvaluatedModule
from lt_lightning.metrics.names import ALPHA, STAGE, TEST, TRAIN, VAL, WEIGHT, logged
from lt_lightning.runs import environment
from lt_lightning.runs.reported import ReportedData
from lt_lightning.runs.yaml_file import read_yaml
from lt_lightning.wandb_ import names
from lt_lightning.wandb_.tables import class_weight_table, tables
from lt_lightning.wandb_.tail_images import TailImages

_AXIS = "epoch"
_DRAWN = (*(logged(split, "*") for split in (TRAIN, VAL, TEST)), f"{WEIGHT}/*", ALPHA, STAGE)


class WandbMedia(Callback):
    """Adds to W&B what scalars cannot show: classes, confusion, reliability, images, the subset.

    Without a WandbLogger it does nothing. With one, train/*, val/*, test/*, class weights, alpha
    and stage are drawn over the epoch; the run's config gets the subset's fingerprint, the groups
    and config.yaml; its tags are the method, the data and the size of each group. Class weights
    are a table each time they change. After a test the tables per class and per bin of confidence,
    the confusion table, the tau curve, the figures and test images of the rarest classes with
    their predictions are logged under `<evaluation>/`, and the metrics go into the summary.
    """

    def __init__(self) -> None:
        self._outcome: Outcome | None = None
        self._weights: list[float] | None = None
        self._tail: TailImages | None = None

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuse early what could not be logged at the end."""
        if stage in ("fit", "test") and _loggers(trainer):
            self._reported(trainer, pl_module)

    def _reported(
        self, trainer: Trainer, pl_module: LightningModule
    ) -> tuple[EvaluatedModule, ReportedData]:
        return reported(trainer, pl_module, type(self).__name__)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Describe the run, which has taken by now the weights that it begins with."""
        self._describe(trainer, pl_module)

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Describe the run, where it was not trained here."""
        self._describe(trainer, pl_module)

    def _describe(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        for logger in _loggers(trainer):
            found = self._reported(trainer, pl_module)
            run = logger.experiment
            for name in _DRAWN:
                run.define_metric(name, step_metric=_AXIS)
            run.config.update(_facts(trainer, *found), allow_val_change=True)
            tags = _tags(*found)
            run.tags = (*(run.tags or ()), *(tag for tag in tags if tag not in (run.tags or ())))

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log the class weights of the loss where they are others than before."""
        loggers = _loggers(trainer)
        if not loggers or not trainer.is_global_zero:
            return
        module, data = self._reported(trainer, pl_module)
        weights = module.class_weights()
        if weights is None or weights.tolist() == self._weights:
            return
        self._weights = weights.tolist()
        counts, epoch = data.class_counts.tolist(), trainer.current_epoch
        for logger in loggers:
            table = class_weight_table(list(map(str, data.class_names)), counts, weights, epoch)
            logger.experiment.log({names.CLASS_WEIGHTS: table, _AXIS: epoch})

    def on_test_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Be ready for the images."""
        if not _loggers(trainer) or not trainer.is_global_zero:
            return
        _, data = self._reported(trainer, pl_module)
        transform = data.normalize
        if transform is not None:
            found = list(map(str, data.class_names)), transform.mean, transform.std
            self._tail = TailImages(data.class_counts, *found)

    def on_test_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keep images of the rarest classes; with several processes those of the first one."""
        if self._tail is not None and isinstance(outputs, Tensor):
            images, targets = batch
            self._tail.take(images, targets, outputs)

    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Sum the counts over all processes."""
        if _loggers(trainer):
            self._outcome = Outcome.of(*self._reported(trainer, pl_module))

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log the tables, figures and images."""
        (outcome, self._outcome), (tail, self._tail) = (self._outcome, None), (self._tail, None)
        if outcome is None or not trainer.is_global_zero:
            return
        label, tau_curve = _of_record(trainer)
        drawn: dict[str, bytes] = {}
        for record in _records(trainer):  # it has drawn already, for it comes before
            drawn |= record.pictures
        drawn = drawn or _pictures(outcome, f"{type(pl_module).__name__}, {label}")
        pictures = {f"{name}_figure": _opened(png) for name, png in drawn.items()}
        for logger in _loggers(trainer):
            run = logger.experiment
            media = {**tables(outcome, tau_curve), **_as_images(pictures), **_tail_images(tail)}
            run.log({names.under(label, name): item for name, item in media.items()})
            found = {names.under(label, name): value for name, value in outcome.values.items()}
            run.summary.update(found)


def _loggers(trainer: Trainer) -> list[WandbLogger]:
    return [logger for logger in trainer.loggers if isinstance(logger, WandbLogger)]


def _of_record(trainer: Trainer) -> tuple[str, dict[float, float]]:
    """Return the label of the test, as in results.json, and the tau curve of its change."""
    records = _records(trainer)
    if not records:
        return "last", {}
    label = records[0].label(trainer)
    return label, records[0].tau_curve if "+" in label else {}


def data_name(data: ReportedData) -> str:
    """Return what the images are and how long-tailed: "CIFAR10, ratio 100"."""
    name = type(data if data.source is None else data.source).__name__
    ratio = data.imbalance_ratio
    return name if ratio is None else f"{name}, ratio {ratio:g}"


def _records(trainer: Trainer) -> list[RunRecord]:
    return [c for c in trainer.callbacks if isinstance(c, RunRecord)]  # type: ignore[attr-defined]


def _facts(trainer: Trainer, module: EvaluatedModule, data: ReportedData) -> dict[str, Any]:
    """Return what is to be seen in the config of the run."""
    facts: dict[str, Any] = {
        "method": type(module).__name__,
        "data_set": data_name(data),
        "fingerprint": data.fingerprint,
        "subset_seed": data.subset_seed,
        "training_seed": environment.training_seed(),
        "class_counts": data.class_counts.tolist(),
        "group_sizes": {name: len(members) for name, members in data.groups.items()},
        "test_seen_during_training": bool(data.monitor_test or module.past.test_seen),
        "oracle": bool(module.oracle or module.past.oracle),
    }
    file = Path(trainer.default_root_dir) / "config.yaml"
    if file.is_file():
        facts["config"] = read_yaml(file)
    return facts


def _tags(module: EvaluatedModule, data: ReportedData) -> list[str]:
    tags = [type(module).__name__, data_name(data)]
    tags += [f"{name} {len(members)}" for name, members in data.groups.items()]
    if data.monitor_test or module.past.test_seen:
        tags.append("test seen during training")
    if module.oracle or module.past.oracle:
        tags.append("oracle")
    if module.self_supervised:
        tags.append("trained without labels")
    return tags


def _pictures(outcome: Outcome, title: str) -> dict[str, bytes]:
    from lt_lightning.figures.png import to_png

    return {name: to_png(figure) for name, figure in outcome.figures(title).items()}


def _opened(png: bytes) -> Any:
    from PIL import Image

    return Image.open(io.BytesIO(png))


def _as_images(pictures: dict[str, Any]) -> dict[str, Any]:
    import wandb

    return {name: wandb.Image(picture) for name, picture in pictures.items()}


def _tail_images(tail: TailImages | None) -> dict[str, Any]:
    import wandb

    if tail is None or not tail.found:
        return {}
    shown = [wandb.Image(image.pixels, caption=image.caption) for image in tail.found]
    return {names.TAIL_IMAGES: shown}
