"""A SLURM job whose time is up saves, asks for its own restart and goes on there."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint

from lt_lightning.callbacks.checkpoints import save_whole
from lt_lightning.mid_epoch import may_agree
from lt_lightning.runs import warning


class Requeue(Checkpoint):
    """Saves and requeues a SLURM job when SIGUSR1 announces its end (#SBATCH --signal=SIGUSR1@90).

    The signal is only noted, from the start of the command on. After the step that runs, or the
    first one, all processes save last.ckpt together, and the first of them calls `scontrol
    requeue`; the job started again goes on from there, bit for bit. Lightning's own handler, which
    this one takes the place of, saves wherever the process happens to be, also in the middle of an
    optimizer step, and every later test of the run would load its hpc_ckpt instead of the final
    weights.

    Args:
        folder: the run's checkpoint folder.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "last.ckpt"
        self._held = ExitStack()

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Take the signal, in a SLURM job only, where `lt` has not done it at its start."""
        self._held.enter_context(warning.taken())

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Give the signal back."""
        self._held.close()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Answer between two steps; after the last one the end of the epoch does."""
        warning.stepped()
        if not warning.is_taken() or trainer.is_last_batch:
            return
        if may_agree(trainer, batch_idx):
            self._answer(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Answer between two epochs."""
        if warning.is_taken():
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
        if warning.noted():
            warning.answer()

    def _answer(self, trainer: Trainer) -> None:
        asked = warning.noted()
        if trainer.world_size > 1:
            # The signal does not reach all processes in the same step.
            asked = trainer.strategy.reduce_boolean_decision(asked, all=False)
        if asked:
            save_whole(trainer, self.path)
            warning.answer()
