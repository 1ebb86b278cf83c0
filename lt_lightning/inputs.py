"""What losses, samplers, groups and metrics take: class counts, labels, logits."""

from collections.abc import Sequence
from numbers import Number
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from lt_lightning.errors import UserError

ClassCounts: TypeAlias = Tensor | Sequence[int] | np.ndarray
Labels: TypeAlias = Tensor | Sequence[int] | np.ndarray
MAX_SEED = 2**32 - 1  # that of seed_everything, too


def check_class_counts(class_counts: ClassCounts, *, least: int = 1) -> Tensor:
    """Return `class_counts` as a new int64 (C,) on the CPU, or say what is wrong with them.

    Args:
        class_counts: training images per class, (C,), a tensor, an array or a list.
        least: of every class; 0 where classes without an image may be.

    Raises:
        UserError: if a count is below `least`, fractional, not finite or no number.
    """
    counts = _numbers("class_counts", class_counts)
    if counts.ndim != 1 or counts.numel() == 0:
        raise UserError(
            f"class_counts has the shape {tuple(counts.shape)}: give one number per class, (C,)."
        )
    if counts.is_floating_point() and not bool((counts.isfinite() & (counts % 1 == 0)).all()):
        raise UserError(f"class_counts holds {counts.tolist()[:5]}: give whole numbers of images.")
    whole = counts.to(torch.int64, copy=True)
    if bool((whole < least).any()):
        empty = (whole < least).nonzero().flatten().tolist()
        remedy = (
            "give every class at least one training image, or leave these classes out"
            if least
            else "give 0 images or more"
        )
        raise UserError(f"class_counts is below {least} for the classes {empty[:10]}: {remedy}.")
    return whole


def wide_counts(class_counts: ClassCounts) -> Tensor:
    """Return checked counts as float64 (C,), for formulas; those of a tensor on its device.

    Raises:
        UserError: see `check_class_counts`.
    """
    device = class_counts.device if isinstance(class_counts, Tensor) else None
    return check_class_counts(class_counts).to(device, torch.float64)


def check_labels(labels: Labels) -> Tensor:
    """Return `labels` as int64 (N,) on the CPU, or say what is wrong with them.

    Raises:
        UserError: if a label is negative, fractional or no number.
    """
    found = _numbers("labels", labels)
    if found.ndim != 1:
        raise UserError(
            f"labels has the shape {tuple(found.shape)}: give one class index per image, (N,)."
        )
    if found.is_floating_point() and not bool((found.isfinite() & (found % 1 == 0)).all()):
        raise UserError(f"labels holds {found.tolist()[:5]}: give whole numbers.")
    whole = found.to(torch.int64)
    if bool((whole < 0).any()):
        raise UserError(
            f"labels goes down to {int(whole.min())}: number the classes from 0 on, and leave out "
            "images without a class."
        )
    return whole


def check_seed(name: str, seed: int) -> int:
    """Return `seed`, or say what is wrong with it.

    Args:
        name: of the option.
        seed: from 0 to 2^32 - 1, what all generators take, NumPy's legacy one too.

    Raises:
        UserError: if it is out of range.
    """
    if not 0 <= seed <= MAX_SEED:
        raise UserError(f"{name} is {seed}: give a number from 0 to {MAX_SEED}.")
    return seed


def are_probabilities(rows: Tensor, tolerance: float = 1e-2) -> bool:
    """Return whether every row (N, C) lies in [0, 1] and sums to 1; it waits for the device.

    No rows, and rows of one class, are none.

    >>> are_probabilities(torch.tensor([[0.9, 0.1]])), are_probabilities(torch.tensor([[9.0, 1.0]]))
    (True, False)
    """
    if rows.shape[1] < 2 or len(rows) == 0:
        return False
    wide = rows.detach().float()
    inside = (wide >= 0).all() & (wide <= 1 + tolerance).all()
    return bool(inside & ((wide.sum(1) - 1).abs() < tolerance).all())


def _numbers(name: str, given: ClassCounts | Labels) -> Tensor:
    """Return what was given as a tensor of integers or floats on the CPU."""
    if isinstance(given, Tensor):
        found, known = given.detach().cpu(), given.dtype != torch.bool and not given.is_complex()
    else:
        try:
            array = np.asarray(given)
        except ValueError:  # rows of several lengths
            array = np.asarray(None)
        known = array.dtype.kind in "iuf" or array.size == 0
        # torch cannot compare unsigned numbers of more than 8 bits
        kind = np.float64 if array.dtype.kind == "f" else np.int64
        found = torch.from_numpy(array.astype(kind)) if known else torch.empty(0)
    if not known:
        raise UserError(
            f"{name} is {str(given)[:60]}: give a list, an array or a tensor of numbers."
        )
    return found


def told_value(value: object) -> str:
    """Return what a value is, for a message: type and shape of a tensor, other values as such."""
    if isinstance(value, Tensor):
        return f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"
    if value is None or isinstance(value, str):
        return repr(value)[:60]
    if isinstance(value, Number):  # those of numpy too, whose repr names their type
        return str(value)[:60]
    return f"a {type(value).__name__}"


def check_tensors(**given: object) -> None:
    """Refuse what is no tensor where rows of a batch are meant: a list, an array.

    Raises:
        UserError: with the name and what was given.
    """
    for name, value in given.items():
        if not isinstance(value, Tensor):
            raise UserError(
                f"{name} is {told_value(value)}: give a tensor, as `torch.as_tensor` makes of "
                "numbers."
            )


def wide(tensor: Tensor) -> Tensor:
    """Return a tensor in at least float32; float64 stays, as a Trainer of 64 bits has it."""
    return tensor if tensor.dtype == torch.float64 else tensor.float()
