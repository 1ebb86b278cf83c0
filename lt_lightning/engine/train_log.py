"""What a training step logs, right also in an epoch that is resumed in its middle."""

import numbers
from collections.abc import Mapping
from typing import Any, Protocol

import lightning as L
import torch
from torch import Tensor

from lt_lightning.engine.epoch_sums import MAX, MIN, EpochSums
from lt_lightning.engine.parts import check_terms
from lt_lightning.errors import UserError
from lt_lightning.mid_epoch import in_mid_epoch
from lt_lightning.runs.checkpoint import EPOCH_SUMS

_ALONE = "/"  # before the name of a mean that is no part of the loss, and stands by itself
_COUNTED = "#"  # before that of a sum
# Before that of what a method logs by itself, as Lightning reduces it.
_OWN = {"mean": "=", "sum": "+", "max": MAX, "min": MIN}
_RULES = {mark: rule for rule, mark in _OWN.items()}
_EARLIER: dict[str, Any] = {"on_step": False, "on_epoch": True, "sync_dist": True}
_REDUCTIONS = {torch.mean: "mean", torch.sum: "sum", torch.max: "max", torch.min: "min"}
_REDUCTIONS |= {sum: "sum", max: "max", min: "min"}
_PLACES = ("prog_bar", "logger", "on_step", "on_epoch", "reduce_fx")  # of the arguments of `log`


class Logging(Protocol):
    """What is asked of a module: `tell` is Lightning's own `log`."""

    @property
    def trainer(self) -> Any:
        """The trainer."""

    @property
    def current_epoch(self) -> int:
        """The epoch, 0-based."""

    @property
    def device(self) -> Any:
        """Where it is."""

    def tell(self, *args: Any, **kwargs: Any) -> None:
        """Log one value."""


class TrainLog:
    """Logs the mean of each term over the epoch, and the learning rate of the epoch.

    What a step logs by itself, by `self.log(..., on_epoch=True)`, is kept as well where it is a
    number that is reduced to a mean, a sum, the largest or the smallest.
    """

    def __init__(self) -> None:
        self._sums = EpochSums()
        self._logged = False  # since the last look
        self._waiting: list[tuple[str, Tensor]] = []  # means of a batch whose size is not told yet

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
        module: Logging,
        count: int,
        terms: Mapping[str, Tensor],
        also: Mapping[str, Tensor],
    ) -> None:
        """Log the terms of one step over `count` images, and what stands by itself."""
        check_terms(type(module).__name__, {**terms, **also})
        self._logged = "loss" in terms
        means = {**terms, **{f"{_ALONE}{name}": value for name, value in also.items()}}
        self._go_on(module)
        self._sums.add(module.current_epoch, count, {**dict(self._waiting), **means})
        self._waiting.clear()
        for name, value in means.items():
            _log_mean(module, name, value.detach(), count)
        # In the step, for an epoch that is resumed in its middle has no start. The largest of equal
        # values has no rounding.
        rate = float(module.trainer.optimizers[0].param_groups[0]["lr"])
        module.tell(
            "train/lr",
            rate,
            on_step=False,
            on_epoch=True,
            sync_dist=True,
            reduce_fx="max",
            batch_size=1,
        )

    def keep(
        self,
        module: Logging,
        name: str,
        value: Any,
        given: tuple[Any, ...],
        options: Mapping[str, Any],
    ) -> None:
        """Keep what a method is about to log, with the arguments of `log` behind the value.

        Lightning is told first what the epoch had of it before it was cut.
        """
        told = {**dict(zip(_PLACES, given, strict=False)), **options}
        mark = _OWN.get(_rule_of(told.get("reduce_fx", "mean")))
        a_number = isinstance(value, numbers.Number | Tensor)
        if not (mark and a_number and told.get("on_epoch") and module.trainer.training):
            return
        key = f"{mark}{name}"
        for _, (total, count) in self._sums.take_earlier(module.current_epoch, key).items():
            _go_on_with(module, name, total, count, told)
        mean = torch.as_tensor(value, device=module.device).detach().mean(dtype=_float_of(value))
        images = told.get("batch_size") if mark == _OWN["mean"] else 1  # others weigh nothing
        if images is None:
            self._waiting.append((key, mean))
        else:
            self._sums.add(module.current_epoch, images, {key: mean})

    def count(self, module: Logging, name: str, value: Tensor) -> None:
        """Log the sum over the epoch and all processes of what this one counts in a step."""
        self._go_on(module)
        self._sums.add(module.current_epoch, 1, {f"{_COUNTED}{name}": value})
        _log_count(module, name, value)

    def _go_on(self, module: Logging) -> None:
        """Log what an epoch had before it was cut, and is not logged again yet."""
        for name, (total, images) in self._sums.take_earlier(module.current_epoch).items():
            if name[0] in _RULES:
                _go_on_with(
                    module, name[1:], total, images, _EARLIER | {"reduce_fx": _RULES[name[0]]}
                )
            elif name.startswith(_COUNTED):
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


def _log_mean(module: Logging, name: str, value: Tensor, count: int) -> None:
    module.tell(
        name.removeprefix(_ALONE) if name.startswith(_ALONE) else f"train/{name}",
        value,
        on_step=False,
        on_epoch=True,
        sync_dist=True,
        batch_size=count,
        prog_bar=name == "loss",
    )


def _log_count(module: Logging, name: str, value: Tensor) -> None:
    module.tell(
        f"train/{name}",
        value.float(),
        on_step=False,
        on_epoch=True,
        sync_dist=True,
        reduce_fx="sum",
        batch_size=1,
    )


def _log_sum(module: Logging, name: str, total: Tensor, count: int) -> None:
    """Let Lightning go on from a sum over `count` images, bit for bit.

    It adds value * images to the sum and images to the count: a mean would be rounded.
    """
    total = total.to(module.device)
    _log_mean(module, name, total, 1)
    _log_mean(module, name, torch.zeros_like(total), count - 1)


def _go_on_with(
    module: Logging, name: str, total: Tensor, images: int, told: Mapping[str, Any]
) -> None:
    """Let Lightning go on from what a method had logged by itself, with the options of its log."""
    total, options = total.to(module.device), {**told, "batch_size": 1}
    module.tell(name, total, **options)
    if _rule_of(told.get("reduce_fx", "mean")) == "mean":
        module.tell(name, torch.zeros_like(total), **{**options, "batch_size": images - 1})


def _rule_of(reduce: Any) -> str:
    """Return the name of a reduction, as Lightning understands it."""
    name = reduce.lower() if isinstance(reduce, str) else _REDUCTIONS.get(reduce, "")
    return "mean" if name == "avg" else name


def _float_of(value: Any) -> torch.dtype:
    kept = isinstance(value, Tensor) and value.is_floating_point()
    return value.dtype if kept else torch.get_default_dtype()
