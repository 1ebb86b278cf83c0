"""The weights at the end of stage 1."""

from pathlib import Path

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint

from lt_lightning.callbacks.checkpoints import save_whole
from lt_lightning.stages import Staged
from lt_lightning.trainer_parts import is_trial


class StageCheckpoint(Checkpoint):
    """Saves stage1.ckpt where stage 2 begins, so that both stages can be tested and used.

    Args:
        folder: the run's checkpoint folder.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "stage1.ckpt"

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save; callbacks come before the module, which changes over in the same hook."""
        if not isinstance(pl_module, Staged) or is_trial(trainer):
            return
        stage = pl_module.stage_at(trainer.current_epoch)
        if stage.number > 1 and trainer.current_epoch == stage.first_epoch > 0:
            save_whole(trainer, self.path)
