"""The metrics of an epoch, summed over the processes before anyone looks at them."""

from lightning.pytorch import Callback, LightningModule, Trainer


class EpochMetrics(Callback):
    """Asks for the metrics of the epoch on every process; the first of all callbacks.

    Lightning sums a metric over the processes when someone first asks for it, and a progress bar
    asks on the first process only. If the others meet in another question before, numbers end up
    in the wrong place or the run stops.
    """

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Ask; the answer is kept until the next epoch."""
        dict(trainer.callback_metrics)
