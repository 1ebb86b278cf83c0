"""Hyper-parameters that a safe checkpoint can hold."""

import inspect
from collections.abc import Mapping
from typing import Any

import lightning as L
import numpy as np
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
    pickles); those are left out, and `load_from_checkpoint` then asks for them. So is what a
    subclass fixes for its base, which it would refuse when it is built again.
    """
    given = _given(module)
    kept = module.hparams  # hparams_initial is a copy, which goes to loggers
    for key in list(kept):
        value = kept[key]
        if isinstance(value, torch.Tensor | np.ndarray):
            kept[key] = value.tolist()
        elif not is_plain(value) or (key not in given and not key.startswith("_")):
            del kept[key]


def _given(module: L.LightningModule) -> set[str]:
    """Return the names that the outermost constructor of `module`, now running, takes.

    What its catch-all was given belongs to them, however that is called: Python knows its name.
    The frames are where Lightning has the values from too.
    """
    frame, found = inspect.currentframe(), set[str]()
    while frame is not None:
        given = inspect.getargvalues(frame)
        itself = given.args[:1] and given.locals.get(given.args[0]) is module
        if itself and frame.f_code.co_name == "__init__":
            found = {*given.args, *(given.locals[given.keywords] if given.keywords else ())}
        frame = frame.f_back
    return found
