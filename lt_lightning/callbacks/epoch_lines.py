"""One line per epoch, for logs and batch jobs."""

import logging
import sys
import time

from lightning.pytorch import Callback, LightningModule, Trainer

from lt_lightning.metrics.names import LOSS, TRAIN, VAL, logged
from lt_lightning.stages import Staged

log = logging.getLogger(__name__)


class EpochLines(Callback):
    """Logs one line per epoch where the error output is no terminal.

    A progress bar redraws itself and makes a mess of a file. The line goes to the logger
    `lt_lightning.callbacks.epoch_lines` at the level INFO:

        epoch 12/200, train/loss 1.2345, lr 0.1, val/acc 0.7031, 12.3 s

    `lr` is the rate of the first batch of the epoch.

    Args:
        always: log to a terminal as well.
    """

    def __init__(self, always: bool = False) -> None:
        self.always = always
        self._since = 0.0
        self._rate: float | None = None
        self._validated = False

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock; a run resumed in mid-epoch gets no start of that epoch."""
        self._since, self._rate = time.monotonic(), None

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock."""
        self._since, self._rate = time.monotonic(), None

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: object, batch_idx: int
    ) -> None:
        """Note the learning rate; at the end of the epoch it is the next one's already."""
        if self._rate is None and trainer.optimizers:
            self._rate = float(trainer.optimizers[0].param_groups[0]["lr"])

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Note that there are new numbers; Lightning keeps the old ones in other epochs."""
        self._validated = not trainer.sanity_checking

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log the line."""
        # Summed over the processes where that is still to be done, so every process must ask.
        metrics = trainer.callback_metrics
        if not trainer.is_global_zero or (sys.stderr.isatty() and not self.always):
            return
        epochs = "" if trainer.max_epochs in (None, -1) else f"/{trainer.max_epochs}"
        parts = [f"epoch {trainer.current_epoch + 1}{epochs}"]
        if isinstance(pl_module, Staged) and pl_module.num_stages > 1:
            stage = pl_module.stage_at(trainer.current_epoch)
            parts.append(f"stage {stage.number}")
        loss = logged(TRAIN, LOSS)
        if loss in metrics:
            parts.append(f"{loss} {float(metrics[loss]):.4f}")
        if self._rate is not None:
            parts.append(f"lr {self._rate:.4g}")
        if self._validated:
            prefix = logged(VAL, "")
            parts += [f"{k} {float(v):.4f}" for k, v in metrics.items() if k.startswith(prefix)]
            self._validated = False
        parts.append(f"{time.monotonic() - self._since:.1f} s")
        log.info("%s", ", ".join(parts))
