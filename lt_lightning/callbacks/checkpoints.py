"""The last checkpoint of a run, and the best one on the validation split.

Each is written beside its final name and then renamed in the same folder, so that a full disk or
a kill in the middle of writing leaves the one before it whole.
"""

import os
from pathlib import Path
from typing import Any, Literal

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint

from lt_lightning.errors import UserError


def save_whole(trainer: Trainer, path: Path) -> None:
    """Save a checkpoint to `path`; called on every process."""
    aside = path.with_suffix(".part")
    try:
        trainer.save_checkpoint(aside)
        if trainer.is_global_zero:
            os.replace(aside, path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise UserError(
            f"The checkpoint {path} could not be written ({error.strerror or error}): free some "
            "space and go on with --ckpt_path last; the one before it is kept."
        ) from error
    trainer.strategy.barrier()


def _is_trial(trainer: Trainer) -> bool:
    # Lightning sets this attribute without declaring it.
    return bool(getattr(trainer, "fast_dev_run", False))


class LastCheckpoint(Checkpoint):
    """Keeps last.ckpt up to date; this is what a run reports and resumes from.

    Args:
        folder: the run's checkpoint folder.
        every_n_steps: save in mid-epoch too, every so many optimizer steps; none saves after
            epochs only.
    """

    def __init__(self, folder: Path, every_n_steps: int | None = None) -> None:
        if every_n_steps is not None and every_n_steps < 1:
            raise UserError(f"checkpoint.every_n_steps is {every_n_steps}: give 1 or more.")
        self.path, self.every_n_steps = folder / "last.ckpt", every_n_steps
        self._saved_at = -1

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Save where the step is due."""
        step = trainer.global_step
        due = self.every_n_steps is not None and step % self.every_n_steps == 0
        if due and step != self._saved_at and not _is_trial(trainer):
            self._saved_at = step
            save_whole(trainer, self.path)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save after the epoch."""
        if not _is_trial(trainer):
            self._saved_at = trainer.global_step
            save_whole(trainer, self.path)


class BestCheckpoint(Checkpoint):
    """Keeps best.ckpt, chosen by a metric of the validation split.

    Args:
        folder: the run's checkpoint folder.
        monitor: a metric under val/, such as val/acc_macro.
        mode: whether more ("max") or less ("min") is better.

    Raises:
        UserError: at the first validation, if there is no such metric.
    """

    def __init__(
        self, folder: Path, monitor: str = "val/acc_macro", mode: Literal["max", "min"] = "max"
    ) -> None:
        self.path, self.monitor, self.mode = folder / "best.ckpt", monitor, mode
        self.best: float | None = None

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save where the metric is better than ever before."""
        if trainer.sanity_checking or _is_trial(trainer):
            return
        metrics = trainer.callback_metrics
        if self.monitor not in metrics:
            known = ", ".join(sorted(name for name in metrics if name.startswith("val/")))
            raise UserError(f"checkpoint.monitor is {self.monitor!r}: there are {known}.")
        value = float(metrics[self.monitor])
        sign = 1.0 if self.mode == "max" else -1.0
        if self.best is None or sign * value > sign * self.best:
            self.best = value
            save_whole(trainer, self.path)

    def state_dict(self) -> dict[str, float | None]:
        """Return the best value so far."""
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, float | None]) -> None:
        """Go on from the best value so far."""
        self.best = state_dict["best"]
