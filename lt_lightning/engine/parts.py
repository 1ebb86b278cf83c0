"""What a method asks of its parts, which may be of any package."""

from numbers import Integral
from typing import Any

import torch
from torch import Tensor, nn

from lt_lightning.errors import UserError
from lt_lightning.inputs import told_value


def check_widths(backbone: nn.Module, loss: nn.Module) -> None:
    """Refuse parts between which no head fits.

    Raises:
        UserError: unless both widths are whole numbers of at least 1.
    """
    width, outputs = "the width D of the features", "how many logits the head gives, mostly C"
    for part, name, value, what in (
        (backbone, "out_features", backbone.out_features, width),
        (loss, "num_outputs", loss.num_outputs, outputs),
    ):
        if not isinstance(value, Integral) or isinstance(value, bool) or int(value) < 1:
            raise UserError(
                f"{type(part).__name__}.{name} is {told_value(value)}: set it in the constructor "
                f"to a whole number of at least 1, {what}."
            )


def check_features(features: Any, count: int, backbone: nn.Module) -> None:
    """Refuse features that a head cannot take, or would take for others.

    Reads shape and type only, so it never waits for the device.

    Args:
        features: what the backbone returned.
        count: N, the images it was given.
        backbone: for its name and width.

    Raises:
        UserError: unless they are a tensor (N, D) of floats.
    """
    width = backbone.out_features
    right = isinstance(features, Tensor) and features.is_floating_point()
    if not right or features.shape != (count, width):
        remedy = "x.mean((2, 3)) makes it of maps" if _are_maps(features) else "or correct D"
        raise UserError(
            f"{type(backbone).__name__} gave {told_value(features)} for {count} images and has "
            f"out_features {width}: return floats (N, D) = ({count}, {width}); {remedy}."
        )


def _are_maps(features: Any) -> bool:
    return isinstance(features, Tensor) and features.ndim == 4


def check_terms(method: str, terms: dict[str, Any]) -> None:
    """Refuse terms of a training step that are not one number each.

    Raises:
        UserError: if one is no tensor, or one of several numbers.
    """
    for name, value in terms.items():
        if not isinstance(value, Tensor) or value.shape != ():
            raise UserError(
                f"{method}.training_step gave {told_value(value)} as {name}: give one number, a "
                "tensor (), such as the mean over the batch."
            )


def check_loss(method: str, loss: Tensor) -> None:
    """Refuse a loss that nothing can be learned from.

    Raises:
        UserError: if it has no gradient, or is more than one number.
    """
    check_terms(method, {"loss": loss})
    if torch.is_grad_enabled() and not loss.requires_grad:
        raise UserError(
            f"{method}.training_step gave a loss without a gradient: make it of the outputs of the "
            "network, without `detach()`, `item()` or `no_grad()`."
        )
