"""The one number of a change after training: given, or the best of a grid."""

import logging
import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from lt_lightning.errors import UserError

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


def first_best(curve: Mapping[float, float]) -> float:
    """Return the value with the best score, of equals the first."""
    return max(curve, key=curve.__getitem__)


def best_on(
    name: str,
    curve: Mapping[float, float],
    images: str,
    choose: Callable[[Mapping[float, float]], float] = first_best,
) -> float:
    """Return the value with the best macro accuracy, and say so.

    Args:
        name: of the knob.
        curve: the accuracy at each value.
        images: that it was measured on, "held-out" or "training".
        choose: which of equals it is.
    """
    best = choose(curve)
    log.info(
        "%s %g has the best macro accuracy on %s images, %.2f %%",
        name,
        best,
        images,
        100 * curve[best],
    )
    return best
