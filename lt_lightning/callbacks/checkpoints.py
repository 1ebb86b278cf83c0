"""The last checkpoint of a run, and the best one on the validation split.

Each is written beside its final name and then renamed in the same folder, so that a full disk or
a kill in the middle of writing leaves the one before it whole.
"""

import logging
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint

from lt_lightning.callbacks.run_logger import RunLogger
from lt_lightning.errors import Agreed, UserError
from lt_lightning.mid_epoch import ends_here, in_mid_epoch, is_whole_step, unfinish
from lt_lightning.runs import lock
from lt_lightning.runs.files import give_name, problem_of
from lt_lightning.runs.past import choice, keep_choice
from lt_lightning.runs.reported import ReportedData
from lt_lightning.stages import Staged
from lt_lightning.trainer_parts import data_of, is_trial

log = logging.getLogger("lt_lightning")
_LAST = "last.ckpt"
_TOLD = 10.0  # seconds of saving in all


def save_whole(trainer: Trainer, path: Path) -> None:
    """Save a checkpoint to `path`, whole or not at all; called on every process.

    Raises:
        UserError: on every process, if the first one cannot write it.
    """
    check_folder(trainer, path)
    aside, problem = path.with_suffix(".part"), ""
    try:
        trainer.save_checkpoint(aside)
    except OSError as error:
        problem = problem_of(error)
        # The error came before the barrier at which the other processes wait in save_checkpoint.
        trainer.strategy.barrier()
    if trainer.is_global_zero:
        problem = problem or _give_name(aside, path)
        if problem:
            problem = _sentence(path, problem)
            with suppress(OSError):
                aside.unlink()
    # Every process must come to the same end, or the others wait for it for ever.
    problem = trainer.strategy.broadcast(problem)
    if problem:
        raise Agreed(problem)


def _sentence(path: Path, problem: str) -> str:
    told = f"The checkpoint {path} could not be written ({problem}): free some space and "
    if path.with_name(_LAST).is_file():
        return f"{told}go on with --ckpt_path last; the one before it is kept."
    return f"{told}start again; there is none before it."


def check_folder(trainer: Trainer, path: Path) -> None:
    """Refuse, on every process, to write where the run folder was removed.

    Raises:
        UserError: if it was.
    """
    if trainer.strategy.broadcast(lock.is_gone(path)):
        raise Agreed(str(lock.gone(path)))


def _give_name(aside: Path, path: Path) -> str:
    """Give the file its final name, and return what went wrong, or nothing."""
    try:
        give_name(aside, path)
    except OSError as error:
        return problem_of(error)
    return ""


def _write_row(trainer: Trainer) -> None:
    """Write the epoch into metrics.csv before the checkpoint.

    Lightning logs it after the checkpoint; a run that is killed between the two and resumed would
    lack the row. Lightning then logs the same values for the same step again.
    """
    # Summed over the processes where that is still to be done, so every process must ask.
    values = {name: float(v) for name, v in trainer._logger_connector.metrics["log"].items()}
    step = trainer.fit_loop.epoch_loop._batches_that_stepped - 1
    for logger in trainer.loggers:
        if isinstance(logger, RunLogger):
            logger.log_metrics({"epoch": trainer.current_epoch, **values}, step)


def _is_early(trainer: Trainer, pl_module: LightningModule) -> bool:
    """Return whether a later stage comes: its best is no result of the run."""
    if not isinstance(pl_module, Staged):
        return False
    return pl_module.stage_at(trainer.current_epoch).number < pl_module.num_stages


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
        self.path, self.every_n_steps = folder / _LAST, every_n_steps
        self._saved_at = 0
        self._stops = False  # as soon as the step is whole
        self._saves, self._seconds, self._since = 0, 0.0, 0.0

    @property
    def save_seconds(self) -> float | None:
        """How long a save of the last training took, in the mean; none before the first."""
        return self._seconds / self._saves if self._saves else None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Take the step of the start for saved; its accumulated gradients would be lost."""
        self._saved_at = trainer.global_step
        self._saves, self._seconds, self._since = 0, 0.0, time.monotonic()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Save where the step is due.

        Not after the last batch: the end of the epoch comes next, and a run that is resumed from
        between the two would skip its validation and its row of metrics. Where the training is
        cut in mid-epoch it is due too.
        """
        self._finish_step(trainer, batch_idx)
        step = trainer.global_step
        due = self.every_n_steps is not None and step % self.every_n_steps == 0
        due = due or ends_here(trainer)
        if due and step != self._saved_at and not (trainer.is_last_batch or is_trial(trainer)):
            self._saved_at = step
            self._save(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save after the epoch."""
        if not is_trial(trainer):
            check_folder(trainer, self.path)  # here, since the row is written by one process alone
            _write_row(trainer)
            if not (in_mid_epoch(trainer) and self._saved_at == trainer.global_step):
                self._saved_at = trainer.global_step
                self._save(trainer)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Say what the saves took, where it is more than a few seconds."""
        if self._seconds >= _TOLD and trainer.is_global_zero:
            log.info(
                "%d saves of last.ckpt took %.1f s each, %.1f %% of the training.",
                self._saves,
                self._seconds / self._saves,
                100 * self._seconds / (time.monotonic() - self._since),
            )

    def _save(self, trainer: Trainer) -> None:
        before = time.monotonic()
        save_whole(trainer, self.path)
        self._saves, self._seconds = self._saves + 1, self._seconds + time.monotonic() - before

    def _finish_step(self, trainer: Trainer, batch_idx: int) -> None:
        """Put off a stop until the gradients that were accumulated have been used."""
        whole = is_whole_step(trainer, batch_idx)
        if whole and self._stops:
            trainer.should_stop, self._stops = True, False
        elif trainer.should_stop and not whole:
            trainer.should_stop, self._stops = False, True

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Let each checkpoint tell whether its epoch is finished."""
        if in_mid_epoch(trainer):
            unfinish(checkpoint)


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
        self._cut = self._saves = False

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Note a validation that is there because the training is cut; uncut there is none."""
        self._cut = trainer.should_stop and in_mid_epoch(trainer)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save where the metric is better than ever before."""
        if (
            trainer.sanity_checking
            or self._cut
            or is_trial(trainer)
            or _is_early(trainer, pl_module)
        ):
            return
        metrics = trainer.callback_metrics
        if self.monitor not in metrics:
            known = ", ".join(sorted(name for name in metrics if name.startswith("val/")))
            raise UserError(f"checkpoint.monitor is {self.monitor!r}: there are {known}.")
        value = float(metrics[self.monitor])
        sign = 1.0 if self.mode == "max" else -1.0
        if self.best is None or sign * value > sign * self.best:
            self.best, self._saves = value, True
            save_whole(trainer, self.path)
            self._saves = False

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Let the best checkpoint tell what chose it, wherever it is copied."""
        data = data_of(trainer)
        if self._saves and isinstance(data, ReportedData):
            keep_choice(checkpoint, choice(self.monitor, data.monitor_test))

    def state_dict(self) -> dict[str, float | None]:
        """Return the best value so far."""
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, float | None]) -> None:
        """Go on from the best value so far."""
        self.best = state_dict["best"]
