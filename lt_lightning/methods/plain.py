"""Hyper-parameters that a safe checkpoint can hold."""

from collections.abc import Mapping
from typing import Any

import lightning as L
import torch


def is_plain(value: Any) -> bool:
    """Return whether `value` is made of numbers, strings, lists and dicts only."""
    if isinstance(value, Mapping):
        return all(isinstance(k, str) and is_plain(v) for k, v in value.items())
    if isinstance(value, list | tuple):
        return all(is_plain(v) for v in value)
    return value is None or isinstance(value, bool | int | float | str)


def plain_hparams(module: L.LightningModule) -> None:
    """Leave only plain values in the saved hyper-parameters.

    Built from the command line, a module's hyper-parameters are plain. Built in Python they hold
    classes and functions, with which `torch.load` refuses the checkpoint (rightly: they are
    pickles); those are left out, and `load_from_checkpoint` then asks for them.
    """
    for kept in (module.hparams, module.hparams_initial):
        for key in list(kept):
            value = kept[key]
            if isinstance(value, torch.Tensor):
                kept[key] = value.tolist()
            elif not is_plain(value):
                del kept[key]
