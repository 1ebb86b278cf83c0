"""What a rule must give: shares of the classes, and images that can be looked up."""

import torch
from torch import Tensor

from lt_lightning.errors import UserError
from lt_lightning.inputs import told_value


def check_shares(shares: Tensor, num_classes: int, rule: str) -> Tensor:
    """Return the shares of the classes in an epoch, or say what they must be.

    Args:
        shares: what `class_probabilities` returned.
        num_classes: C.
        rule: the name of its class.

    Raises:
        UserError: unless they are a float64 tensor (C,) of numbers of at least 0 with the sum 1.
    """
    owed = f"float64 ({num_classes},), each at least 0, with the sum 1"
    known = isinstance(shares, Tensor)
    if not known or shares.dtype != torch.float64 or shares.shape != (num_classes,):
        got = told_value(shares)
    elif not bool((shares >= 0).all()) or not bool(shares.isfinite().all()):  # also NaN
        got = f"shares from {float(shares.min()):.4g} to {float(shares.max()):.4g}"
    elif abs(float(shares.sum()) - 1) > 1e-6:
        got = f"shares with the sum {float(shares.sum()):.6g}"
    else:
        return shares
    raise UserError(
        f"{rule}.class_probabilities gave {got} for {num_classes} classes: return {owed}; "
        "`weights.double() / weights.sum()` makes them of weights."
    )


def check_draw(drawn: Tensor, size: int, images: int, rule: str) -> Tensor:
    """Return the images of an epoch, or say what they must be.

    Args:
        drawn: what `draw` returned.
        size: images that were asked for.
        images: how many there are.
        rule: the name of its class.

    Raises:
        UserError: unless they are an int64 tensor (size,) of numbers from 0 to images - 1.
    """
    known = isinstance(drawn, Tensor)
    if not known or drawn.dtype != torch.int64 or drawn.shape != (size,):
        got = told_value(drawn)
    elif size and not (0 <= int(drawn.min()) and int(drawn.max()) < images):
        got = f"numbers from {int(drawn.min())} to {int(drawn.max())}"
    else:
        return drawn
    raise UserError(
        f"{rule}.draw gave {got} for {size} of {images} images: return their places in the data, "
        f"int64 ({size},), each from 0 to {images - 1}."
    )
