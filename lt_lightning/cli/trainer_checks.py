"""Options of Lightning's Trainer that fit their type and yet cannot be meant."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from importlib.util import find_spec
from typing import Any

import torch
from jsonargparse import Namespace
from lightning.pytorch.accelerators import AcceleratorRegistry
from lightning.pytorch.strategies import StrategyRegistry

from lt_lightning.engine.sharded import FSDP1, PRECISIONS, SAVED_IN_PARTS
from lt_lightning.errors import Refused
from lt_lightning.nearest import nearest
from lt_lightning.runs import tasks
from lt_lightning.runs.class_path import told


@dataclass(frozen=True)
class _Range:
    """The numbers that an option takes.

    Args:
        least: the smallest number.
        shares: whether a number with a decimal point is a share, in (0, 1].
        besides: a number below `least` that has a meaning of its own.
        zero: whether 0 has one too.
        hint: what to give.
    """

    least: float
    hint: str
    shares: bool = False
    besides: float | None = None
    zero: bool = False

    def has(self, value: float) -> bool:
        """Return whether `value` is one of them."""
        if value == self.besides or (self.zero and value == 0):
            return True
        if not math.isfinite(value):
            return False
        if self.shares and isinstance(value, float):
            return 0 < value <= 1
        return value >= self.least


_BATCHES = "give 1 or more batches, or a share such as 0.5"
_NUMBERS = {
    "num_nodes": _Range(1, "give 1 or more"),
    "max_steps": _Range(1, "give 1 or more, or -1 for no limit", besides=-1),
    "min_epochs": _Range(0, "give 0 or more"),
    "min_steps": _Range(0, "give 0 or more"),
    "limit_train_batches": _Range(1, f"nothing would be trained, {_BATCHES}", shares=True),
    "limit_val_batches": _Range(1, f"{_BATCHES}, or 0 for no validation", shares=True, zero=True),
    "limit_test_batches": _Range(1, f"nothing would be tested, {_BATCHES}", shares=True),
    "limit_predict_batches": _Range(1, _BATCHES, shares=True),
    "overfit_batches": _Range(1, f"{_BATCHES}, or 0 for all", shares=True, zero=True),
    "val_check_interval": _Range(1, _BATCHES, shares=True),
    "check_val_every_n_epoch": _Range(1, "give 1 or more epochs"),
    "num_sanity_val_steps": _Range(0, "give 0 or more, or -1 for all", besides=-1),
    "log_every_n_steps": _Range(0, "give 1 or more, or 0 for never"),
    "accumulate_grad_batches": _Range(1, "give 1 or more batches"),
    "gradient_clip_val": _Range(0, "give a number above 0, or null for none"),
    "reload_dataloaders_every_n_epochs": _Range(0, "give 0 for never, or more"),
    "fast_dev_run": _Range(0, "give true, or 1 or more batches"),
}
_DURATIONS = ("max_time", "val_check_interval")
# Classes that a run cannot have, by their names.
_NOT_TAKEN = {
    "callbacks": {
        "BatchSizeFinder": "the config would not say what ran, give --data.batch_size a number.",
        "GradientAccumulationScheduler": "a run that was cut in an epoch would go on with another "
        "number, give --trainer.accumulate_grad_batches one.",
        "LearningRateFinder": "the config would not say what ran, give --model.optimizer.lr one.",
        "OnExceptionCheckpoint": "any later command would begin with what it saved, and a run "
        "saves last.ckpt itself, leave it out.",
        "StochasticWeightAveraging": "a run that was cut would not be averaged, give "
        "EMAWeightAveraging or WeightAveraging.",
        "Timer": "give --trainer.max_time DD:HH:MM:SS instead.",
    },
    "strategy": dict.fromkeys(("fsdp", "fsdp_cpu_offload", "FSDPStrategy"), FSDP1),
    "plugins": {
        "AsyncCheckpointIO": "a run counts on a checkpoint as soon as it is saved, leave it out.",
    },
}
# Options that would leave a run without its record.
_OWNED: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    ("default_root_dir", lambda v: v is not None, "give --runs and --name instead."),
    ("barebones", bool, "it leaves no record of the run, so leave it out."),
    (
        "enable_checkpointing",
        lambda v: v is False,
        "a run keeps its last checkpoint, leave it out.",
    ),
)


def check_trainer(trainer: Any, command: str) -> None:
    """Refuse what cannot be meant, and count the nodes.

    Args:
        trainer: the parsed options of the trainer; num_nodes is what there is.
        command: fit, validate or test.

    Raises:
        Refused: if there is one.
    """
    for name, bad, why in _OWNED:
        if bad(trainer.get(name)):
            key = f"trainer.{name}"
            raise Refused(f"{key} is {trainer.get(name)!r}: {why}", key)
    epochs = trainer.max_epochs
    if command == "fit" and (epochs is None or epochs < 1):
        raise Refused(
            f"trainer.max_epochs is {told(epochs)}: give 1 or more, for schedules depend on it.",
            "trainer.max_epochs",
        )
    _check_not_taken(trainer)
    _check_numbers(trainer)
    _check_durations(trainer)
    _check_name("trainer.accelerator", trainer.accelerator, AcceleratorRegistry, ("auto", "gpu"))
    _check_name("trainer.strategy", trainer.strategy, StrategyRegistry, ("auto",))
    _check_hardware(trainer)
    devices = _devices(trainer)
    trainer.num_nodes = tasks.check(devices, trainer.get("num_nodes") or 1)
    _settle_sharded(trainer, devices * trainer.num_nodes)


def _check_not_taken(trainer: Any) -> None:
    for key, refused in _NOT_TAKEN.items():
        given = trainer.get(key)
        for name in map(_class_name, given if isinstance(given, list) else [given]):
            if name in refused:
                raise Refused(f"trainer.{key} has {name}: {refused[name]}", f"trainer.{key}")


def _class_name(value: Any) -> str:
    """Return the last part of the path of a class; a short name as it is."""
    path = value.get("class_path") if isinstance(value, Namespace | dict) else value
    return str(path).rsplit(".", 1)[-1]


def parts_weights(trainer: Any) -> bool:
    """Return whether the strategy leaves each process a part of the weights."""
    strategy = trainer.strategy
    return _class_name(strategy) == "ModelParallelStrategy" and not isinstance(strategy, str)


def _settle_sharded(trainer: Any, processes: int) -> None:
    """Let the shards of weights be as many as the processes; Lightning's "auto" shards none."""
    if not parts_weights(trainer):
        return
    options = trainer.strategy.init_args
    if options.save_distributed_checkpoint:
        raise Refused(f"trainer.strategy.{SAVED_IN_PARTS}", "trainer.strategy")
    for name, size in (("data_parallel_size", processes), ("tensor_parallel_size", 1)):
        if options[name] not in ("auto", size):
            key = f"trainer.strategy.{name}"
            raise Refused(
                f"{key} is {options[name]} on {processes} processes: leave it out, for weights are "
                "sharded over all of them.",
                key,
            )
        options[name] = size
    if str(trainer.precision or PRECISIONS[0]) not in (*PRECISIONS, "32"):
        raise Refused(
            f"trainer.precision is {trainer.precision!r}, which ModelParallelStrategy cannot: give "
            f"{' or '.join(PRECISIONS)}.",
            "trainer.precision",
        )


def _check_numbers(trainer: Any) -> None:
    for name, numbers in _NUMBERS.items():
        value, key = trainer.get(name), f"trainer.{name}"
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and not numbers.has(value):
            raise Refused(f"{key} is {told(value)}: {numbers.hint}.", key)


def _check_durations(trainer: Any) -> None:
    for name in _DURATIONS:
        value, key = trainer.get(name), f"trainer.{name}"
        if value is None or isinstance(value, int | float):
            continue
        seconds = _seconds(value)
        if seconds is None or seconds <= 0:
            raise Refused(
                f"{key} is {str(value)!r}: give a time above 0 as DD:HH:MM:SS, such as "
                "00:12:00:00 for twelve hours.",
                key,
            )


def _seconds(value: Any) -> float | None:
    """Return the length of a duration as Lightning reads it, or none where it cannot."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Namespace | dict):
        try:
            given = vars(value) if isinstance(value, Namespace) else value
            return timedelta(**given).total_seconds()
        except (TypeError, OverflowError):
            return None
    parts = re.fullmatch(r"(\d{1,6}):(\d\d):(\d\d):(\d\d)", str(value).strip())
    if parts is None:
        return None
    days, hours, minutes, seconds = map(int, parts.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds()


def _check_hardware(trainer: Any) -> None:
    no_gpu = trainer.accelerator == "cpu" or not torch.cuda.is_available()
    on_cpu = no_gpu and trainer.accelerator in ("auto", "cpu")
    if on_cpu and str(trainer.precision) in ("16", "16-mixed", "16-true"):
        raise Refused(
            f"trainer.precision is {trainer.precision!r}, which needs a GPU: give bf16-mixed or "
            "32-true.",
            "trainer.precision",
        )
    profiler = _class_name(trainer.get("profiler"))
    if profiler in ("xla", "XLAProfiler") and find_spec("torch_xla") is None:
        key = "trainer.profiler"
        raise Refused(f"{key} is {profiler}, which needs torch_xla: give simple, say.", key)
    if not _is_number_of_devices(trainer.devices, on_cpu):
        more = "" if on_cpu else ", -1 for all GPUs, a list of GPUs"
        raise Refused(
            f"trainer.devices is {trainer.devices!r}: give a number from 1 on{more}, or auto.",
            "trainer.devices",
        )


def _is_number_of_devices(value: Any, on_cpu: bool) -> bool:
    text = str(value)
    if text == "auto" or (isinstance(value, list) and not on_cpu):
        return True
    if text.lstrip("-").isdigit():
        return int(text) >= 1 or (text == "-1" and not on_cpu)
    return not on_cpu and all(part.strip().isdigit() for part in text.split(","))


def _devices(trainer: Any) -> int:
    """Return the number of processes on each node, one for each device."""
    value, text = trainer.devices, str(trainer.devices)
    if isinstance(value, list):
        return len(value)
    if text in ("auto", "-1"):
        on_gpu = trainer.accelerator != "cpu" and torch.cuda.is_available()
        return torch.cuda.device_count() if on_gpu else 1
    return int(text) if text.isdigit() else len([part for part in text.split(",") if part.strip()])


def _check_name(key: str, value: Any, registry: Any, more: tuple[str, ...]) -> None:
    """Refuse a name that Lightning does not know."""
    names = sorted({*registry, *more})
    if not isinstance(value, str) or value in names:
        return
    near = nearest(value, names)
    hint = f"did you mean {near!r}?" if near else f"give one of {', '.join(names)}."
    raise Refused(f"{key} is {value!r}: {hint}", key)
