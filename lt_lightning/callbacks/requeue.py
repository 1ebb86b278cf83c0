"""A SLURM job whose time is up saves, asks for its own restart and goes on there."""

import logging
import shutil
import signal
import subprocess
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint

from lt_lightning.callbacks.checkpoints import save_whole
from lt_lightning.runs import launch

log = logging.getLogger(__name__)
_LOOK_EVERY = 5  # steps between two questions to the other processes


class Requeue(Checkpoint):
    """Saves and requeues a SLURM job when SIGUSR1 announces its end (#SBATCH --signal=SIGUSR1@90).

    The signal is only noted. After the training step that runs all processes save last.ckpt
    together, and the first one calls `scontrol requeue`; the job started again goes on from there,
    bit for bit. Lightning's own handler, which this one takes the place of, saves wherever the
    process happens to be, also in the middle of an optimizer step, and every later test of the
    run would load its hpc_ckpt instead of the final weights.

    Args:
        folder: the run's checkpoint folder.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "last.ckpt"
        self._asked = False
        self._before: Any = None

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Take the signal, in a SLURM job only; Lightning leaves a handler that is there alone."""
        in_main = threading.current_thread() is threading.main_thread()
        if stage in ("fit", "test") and SLURMEnvironment.detect() and in_main:
            self._before = signal.signal(signal.SIGUSR1, self._note)

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Give the signal back."""
        if self._before is not None:
            signal.signal(signal.SIGUSR1, self._before)
            self._before = None

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._asked = True

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Answer between two steps; after the last one the end of the epoch does."""
        if self._before is None or trainer.is_last_batch:
            return
        if trainer.world_size == 1 or (batch_idx + 1) % _LOOK_EVERY == 0:
            self._answer(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Answer between two epochs."""
        if self._before is not None:
            self._answer(trainer)

    def on_test_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Ask for the restart; the training is over and saved."""
        if self._asked:
            self._asked = False
            _requeue(trainer)

    def _answer(self, trainer: Trainer) -> None:
        asked = self._asked
        if trainer.world_size > 1:
            # The signal does not reach all processes in the same step.
            asked = trainer.strategy.reduce_boolean_decision(asked, all=False)
        if asked:
            self._asked = False
            save_whole(trainer, self.path)
            _requeue(trainer)


def _requeue(trainer: Trainer) -> None:
    """Call `scontrol requeue` on the first process."""
    if not trainer.is_global_zero:
        return
    job = launch.slurm_job() or ""
    command = shutil.which("scontrol")
    done = None if command is None else subprocess.run([command, "requeue", job], check=False)
    if done is not None and done.returncode == 0:
        log.info("The time is nearly up: saved, and job %s is requeued.", job)
    else:
        log.warning("Job %s could not be requeued: `scontrol requeue %s` failed.", job, job)
