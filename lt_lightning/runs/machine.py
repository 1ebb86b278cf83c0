"""A run from another machine, looked at on this one."""

import logging
from typing import Any

log = logging.getLogger("lt_lightning")
_HALF = ("16", "16-mixed", "16-true")
_ONE_CPU = {"accelerator": "cpu", "devices": 1, "num_nodes": 1, "strategy": "auto"}


def without_gpu(trainer: dict[str, Any]) -> dict[str, Any]:
    """Return the trainer options of a finished run as this machine can follow them.

    Where they ask for a GPU and there is none, one process on the CPU takes their place, with a
    word; keys on the command line lie over that.
    """
    accelerator, precision = trainer.get("accelerator"), trainer.get("precision")
    devices = str(trainer.get("devices", 1))
    asks = accelerator in ("gpu", "cuda") or str(precision) in _HALF
    asks = asks or (accelerator == "auto" and devices != "auto" and not devices.isdigit())
    if not asks:
        return trainer
    import torch  # here, for a mistake in a command line is told without it

    if torch.cuda.is_available() or torch.backends.mps.is_available():
        return trainer
    log.warning(
        "The run was made on a GPU (accelerator %s, devices %s, precision %s) and there is none "
        "here: one CPU takes its place; --trainer.accelerator and --trainer.precision choose.",
        accelerator,
        devices,
        precision,
    )
    chosen = {"precision": None} if str(precision) in _HALF else {}
    return {**trainer, **_ONE_CPU, **chosen}
