"""What a training step logs, right also in an epoch that is resumed in its middle."""

from collections.abc import Mapping
from typing import Any

import lightning as L
import torch
from torch import Tensor

from lt_lightning.engine.epoch_sums import EpochSums
from lt_lightning.engine.parts import check_terms
from lt_lightning.errors import UserError
from lt_lightning.mid_epoch import in_mid_epoch
from lt_lightning.runs.checkpoint import EPOCH_SUMS

_ALONE = "/"  # before the name of a mean that is no part of the loss, and stands by itself
_COUNTED = "#"  # before that of a sum


class TrainLog:
    """Logs the mean of each term over the epoch, and the learning rate of the epoch.

    What a step logs past it, by `self.log`, is of the part after the cut alone in a resumed epoch.
    """

    def __init__(self) -> None:
        self._sums = EpochSums()
        self._logged = False  # since the last look

    def check(self, module: L.LightningModule, outputs: Any) -> None:
        """Refuse a step of `module` that returned nothing, or did not log its loss here.

        Raises:
            UserError: if it did. Lightning would go on, without training or without a record.
        """
        if not outputs or not self._logged:
            did = "did not use log_train" if outputs else "returned nothing"
            raise UserError(
                f"{type(module).__name__}.training_step {did}: let it end with "
                "`return self.log_train(len(images), loss=...)`."
            )
        self._logged = False

    def log(
        self,
        module: L.LightningModule,
        count: int,
        terms: Mapping[str, Tensor],
        also: Mapping[str, Tensor],
    ) -> None:
        """Log the terms of one step over `count` images, and what stands by itself."""
        check_terms(type(module).__name__, {**terms, **also})
        self._logged = "loss" in terms
        means = {**terms, **{f"{_ALONE}{name}": value for name, value in also.items()}}
        self._go_on(module)
        self._sums.add(module.current_epoch, count, means)
        for name, value in means.items():
            _log_mean(module, name, value.detach(), count)
        # In the step, for an epoch that is resumed in its middle has no start. The largest of equal
        # values has no rounding.
        rate = float(module.trainer.optimizers[0].param_groups[0]["lr"])
        module.log(
            "train/lr",
            rate,
            on_step=False,
            on_epoch=True,
            sync_dist=True,
            reduce_fx="max",
            batch_size=1,
        )

    def count(self, module: L.LightningModule, name: str, value: Tensor) -> None:
        """Log the sum over the epoch and all processes of what this one counts in a step."""
        self._go_on(module)
        self._sums.add(module.current_epoch, 1, {f"{_COUNTED}{name}": value})
        _log_count(module, name, value)

    def _go_on(self, module: L.LightningModule) -> None:
        """Log what an epoch had before it was cut."""
        for name, (total, images) in self._sums.take_earlier(module.current_epoch).items():
            if name.startswith(_COUNTED):
                _log_count(module, name.removeprefix(_COUNTED), total.to(module.device))
            else:
                _log_sum(module, name, total, images)

    def save(self, trainer: L.Trainer, checkpoint: dict[str, Any]) -> None:
        """Keep the sums of an epoch that is stopped in its middle; each process must ask."""
        if in_mid_epoch(trainer):
            checkpoint[EPOCH_SUMS] = self._sums.state()

    def load(self, checkpoint: dict[str, Any]) -> None:
        """Go on from the sums of the checkpoint."""
        if EPOCH_SUMS in checkpoint:
            self._sums.load(checkpoint[EPOCH_SUMS])


def _log_mean(module: L.LightningModule, name: str, value: Tensor, count: int) -> None:
    module.log(
        name.removeprefix(_ALONE) if name.startswith(_ALONE) else f"train/{name}",
        value,
        on_step=False,
        on_epoch=True,
        sync_dist=True,
        batch_size=count,
        prog_bar=name == "loss",
    )


def _log_count(module: L.LightningModule, name: str, value: Tensor) -> None:
    module.log(
        f"train/{name}",
        value.float(),
        on_step=False,
        on_epoch=True,
        sync_dist=True,
        reduce_fx="sum",
        batch_size=1,
    )


def _log_sum(module: L.LightningModule, name: str, total: Tensor, count: int) -> None:
    """Let Lightning go on from a sum over `count` images, bit for bit.

    It adds value * images to the sum and images to the count: a mean would be rounded.
    """
    total = total.to(module.device)
    _log_mean(module, name, total, 1)
    _log_mean(module, name, torch.zeros_like(total), count - 1)
