"""Tables and figures of the test on Weights & Biases."""

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import WandbLogger

from lt_lightning.callbacks import environment
from lt_lightning.callbacks.outcome import Outcome, check_parts
from lt_lightning.callbacks.run_record import RunRecord
from lt_lightning.metrics.names import TEST, TRAIN, VAL

if TYPE_CHECKING:
    from PIL.Image import Image

_AXIS = "epoch"
_MAX_TABLE = 100  # a confusion table has C^2 rows; beyond this the picture has to do


class WandbMedia(Callback):
    """Adds to W&B what scalars cannot show: classes, confusion, reliability, the subset.

    Without a WandbLogger it does nothing. With one, train/*, val/* and test/* are drawn over the
    epoch; the run's config gets the subset's fingerprint, the groups and config.yaml; its tags
    are the method and the size of each group. After a test the table per class, the confusion
    table and the figures are logged under `<evaluation>/`, and the metrics go into the summary.
    """

    def __init__(self) -> None:
        self._outcome: Outcome | None = None

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuse early what could not be logged at the end."""
        if stage in ("fit", "test") and _loggers(trainer):
            check_parts(trainer, pl_module, type(self).__name__)

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Describe the run."""
        self._describe(trainer, pl_module)

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Describe the run, where it was not trained here."""
        self._describe(trainer, pl_module)

    def _describe(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        for logger in _loggers(trainer):
            run = logger.experiment
            for split in (TRAIN, VAL, TEST):
                run.define_metric(f"{split}/*", step_metric=_AXIS)
            run.config.update(_facts(trainer, pl_module), allow_val_change=True)
            tags = _tags(trainer, pl_module)
            run.tags = (*(run.tags or ()), *(tag for tag in tags if tag not in (run.tags or ())))

    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Sum the counts over all processes."""
        if _loggers(trainer):
            self._outcome = Outcome.of(trainer, pl_module)

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log the tables and figures."""
        outcome, self._outcome = self._outcome, None
        if outcome is None or not trainer.is_global_zero:
            return
        label = _label(trainer)
        pictures = _pictures(outcome, f"{type(pl_module).__name__}, {label}")
        for logger in _loggers(trainer):
            run = logger.experiment
            media = {**_tables(outcome), **_as_images(pictures)}
            run.log({**{f"{label}/{name}": item for name, item in media.items()}})
            run.summary.update({f"{label}/{name}": v for name, v in outcome.values.items()})


def _loggers(trainer: Trainer) -> list[WandbLogger]:
    return [logger for logger in trainer.loggers if isinstance(logger, WandbLogger)]


def _label(trainer: Trainer) -> str:
    """Return the label of the test, the same as in results.json."""
    records = [c for c in trainer.callbacks if isinstance(c, RunRecord)]  # type: ignore[attr-defined]
    return records[0].label(trainer) if records else "last"


def _facts(trainer: Trainer, pl_module: LightningModule) -> dict[str, Any]:
    """Return what is to be seen in the config of the run."""
    data: Any = getattr(trainer, "datamodule", None)
    facts: dict[str, Any] = {
        "method": type(pl_module).__name__,
        "fingerprint": data.fingerprint,
        "subset_seed": data.subset_seed,
        "training_seed": environment.training_seed(),
        "class_counts": data.class_counts.tolist(),
        "group_sizes": {name: len(members) for name, members in data.groups.items()},
        "test_seen_during_training": bool(data.monitor_test),
        "oracle": bool(getattr(pl_module, "oracle", False)),
    }
    file = Path(trainer.default_root_dir) / "config.yaml"
    if file.is_file():
        facts["config"] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return facts


def _tags(trainer: Trainer, pl_module: LightningModule) -> list[str]:
    data: Any = getattr(trainer, "datamodule", None)
    tags = [type(pl_module).__name__]
    tags += [f"{name} {len(members)}" for name, members in data.groups.items()]
    if data.monitor_test:
        tags.append("test seen during training")
    if getattr(pl_module, "oracle", False):
        tags.append("oracle")
    if getattr(pl_module, "self_supervised", False):
        tags.append("trained without labels")
    return tags


def _tables(outcome: Outcome) -> dict[str, Any]:
    """Return the table per class, and the confusion table where it is small enough."""
    import wandb

    rows = outcome.rows()
    columns = list(rows[0])
    table = wandb.Table(columns=columns, data=[[row[c] for c in columns] for row in rows])
    found: dict[str, Any] = {"per_class": table}
    names = outcome.class_names
    if outcome.confusion is not None and len(names) <= _MAX_TABLE:
        counts = outcome.confusion.tolist()
        cells = [
            [names[i], names[j], counts[i][j]] for i in range(len(names)) for j in range(len(names))
        ]
        keys = ["Actual", "Predicted", "nPredictions"]
        found["confusion"] = wandb.plot_table(
            vega_spec_name="wandb/confusion_matrix/v1",
            data_table=wandb.Table(columns=keys, data=cells),
            fields={key: key for key in keys},
            string_fields={"title": "Confusion"},
        )
    return found


def _pictures(outcome: Outcome, title: str) -> dict[str, "Image"]:
    from PIL import Image

    from lt_lightning.callbacks.figures import to_png

    return {
        f"{name}_figure": Image.open(io.BytesIO(to_png(figure)))
        for name, figure in outcome.figures(title).items()
    }


def _as_images(pictures: dict[str, "Image"]) -> dict[str, Any]:
    import wandb

    return {name: wandb.Image(picture) for name, picture in pictures.items()}
