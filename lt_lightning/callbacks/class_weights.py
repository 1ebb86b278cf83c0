"""The class weights of the loss over the epochs, by group: when deferred re-weighting begins."""

from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from lt_lightning.metrics.names import weight


class ClassWeights(Callback):
    """Logs the mean class weight of each group, `weight/few`, to every logger.

    Nothing is logged for a loss whose weights are 1 and stay so.
    """

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log the weights that the epoch was trained with; the same on every process."""
        weights, data = class_weights(pl_module), getattr(trainer, "datamodule", None)
        if weights is None or data is None:
            return
        values = {
            weight(name): float(weights[list(members)].mean())
            for name, members in data.groups.items()
        }
        pl_module.log_dict(values, on_epoch=True, sync_dist=True, reduce_fx="max", batch_size=1)


def class_weights(pl_module: LightningModule) -> Tensor | None:
    """Return the class weights of the loss, (C,) on the CPU, or none where they are always 1."""
    module: Any = pl_module
    found = getattr(getattr(module, "loss", None), "weight", None)
    if not isinstance(found, Tensor):
        return None
    weights = found.detach().float().cpu()
    deferred = getattr(module, "deferred_weights", None) is not None
    return weights if deferred or bool((weights != 1).any()) else None
