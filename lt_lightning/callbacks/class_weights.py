"""The class weights of the loss over the epochs, by group: when deferred re-weighting begins."""

from lightning.pytorch import Callback, LightningModule, Trainer

from lt_lightning.engine.evaluated import EvaluatedModule
from lt_lightning.metrics.names import weight
from lt_lightning.runs.reported import ReportedData
from lt_lightning.trainer_parts import data_of


class ClassWeights(Callback):
    """Logs the mean class weight of each group, `weight/few`, to every logger.

    Nothing is logged for a loss whose weights are 1 and stay so.
    """

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log the weights that the epoch was trained with; the same on every process."""
        data = data_of(trainer)
        if not isinstance(pl_module, EvaluatedModule) or not isinstance(data, ReportedData):
            return
        weights = pl_module.class_weights()
        if weights is None:
            return
        values = {
            weight(name): float(weights[list(members)].mean())
            for name, members in data.groups.items()
        }
        pl_module.log_dict(values, on_epoch=True, sync_dist=True, reduce_fx="max", batch_size=1)
