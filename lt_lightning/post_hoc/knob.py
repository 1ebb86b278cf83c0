"""The one number of a change after training: given, or the best of a grid."""

import logging
import math
from collections.abc import Iterable

import torch
from torch import Tensor

from lt_lightning.errors import UserError
from lt_lightning.metrics import predicted_class
from lt_lightning.post_hoc.functions import macro_accuracy

log = logging.getLogger(__name__)


def checked_knob(name: str, value: float | None) -> float | None:
    """Return a number that is given, or none where it is to be chosen.

    Raises:
        UserError: if it is negative or not finite.
    """
    if value is not None and not 0 <= value < math.inf:
        raise UserError(f"{name} is {value}: give 0 or more, or null to choose it from a grid.")
    return value


def knob_values(name: str, value: float) -> dict[str, Tensor]:
    """Return the values of a change that has one number."""
    return {name: torch.tensor(value, dtype=torch.float64)}


def accuracy_curve(
    tried: Iterable[tuple[float, Tensor]], targets: Tensor, num_classes: int
) -> dict[float, float]:
    """Return the macro accuracy, in [0, 1], of the logits (N, C) of each value of a knob."""
    return {
        value: macro_accuracy(predicted_class(logits), targets, num_classes)
        for value, logits in tried
    }


def best_on(name: str, curve: dict[float, float], images: str) -> float:
    """Return the value with the best macro accuracy, of equals the first, and say so.

    Args:
        name: of the knob.
        curve: the accuracy at each value.
        images: that it was measured on, "held-out" or "training".
    """
    best = max(curve, key=curve.__getitem__)
    log.info(
        "%s %g has the best macro accuracy on %s images, %.2f %%",
        name,
        best,
        images,
        100 * curve[best],
    )
    return best
