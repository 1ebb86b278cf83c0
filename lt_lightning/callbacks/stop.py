"""SIGTERM and Ctrl-C end a training between two steps, on all processes at the same one."""

import signal
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint

from lt_lightning.callbacks.checkpoints import save_whole
from lt_lightning.mid_epoch import may_agree
from lt_lightning.runs import signals


class StopBetweenSteps(Checkpoint):
    """Saves last.ckpt and leaves when SIGTERM or Ctrl-C was noted; a second one leaves at once.

    Lightning's handler of SIGTERM talks to the other processes wherever the signal finds this
    one, which hangs or aborts where it does just that. Here the signal is only noted, and the
    processes agree between steps.

    Args:
        folder: the run's checkpoint folder; none where nothing is to be saved.
    """

    def __init__(self, folder: Path | None) -> None:
        self.path = None if folder is None else folder / "last.ckpt"
        self._agreed = False

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Keep Lightning from taking the signals."""
        trainer._signal_connector.register_signal_handlers = _take_none  # type: ignore[method-assign]

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """From here on signals are noted."""
        signals.training(True)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Look between two steps, where no gradient is half accumulated."""
        if trainer.is_last_batch:  # the end of the epoch comes next
            return
        if may_agree(trainer, batch_idx):
            self._answer(trainer, self.path)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Look between two epochs; the last checkpoint is saved by then."""
        self._answer(trainer, None)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """From here on signals end the command at once."""
        self._answer(trainer, None)
        signals.training(False)

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Take the processes along that Lightning started, where they did not agree to leave."""
        signals.training(False)
        launcher = trainer.strategy.launcher
        if isinstance(exception, signals.Stopped) and not self._agreed and launcher is not None:
            launcher.kill(signal.SIGTERM)

    def _answer(self, trainer: Trainer, path: Path | None) -> None:
        number = signals.noted()
        if trainer.world_size > 1:
            # The signal does not reach all processes in the same step, and maybe not all of them.
            asked = trainer.strategy.reduce_boolean_decision(bool(number), all=False)
            # What came while this process waited for the others is noted behind it.
            number = (number or signals.noted() or signal.SIGTERM) if asked else 0
        if number:
            self._agreed = True
            if path is not None:
                save_whole(trainer, path)
            signals.leave(number)


def _take_none() -> None:
    """Take no signal."""
