"""What a finished model makes of images, under the transforms of evaluation."""

from collections.abc import Callable

import torch
from torch import Tensor

from lt_lightning.data import LongTailDataModule
from lt_lightning.engine.float32 import exact
from lt_lightning.errors import UserError
from lt_lightning.methods import LongTailModule


def held_out_logits(model: LongTailModule, data: LongTailDataModule) -> tuple[Tensor, Tensor]:
    """Return logits (N, C) and labels (N,) of the held-out images.

    Raises:
        UserError: if the run has none; the test images are never taken instead.
    """
    check_held_out(data)
    return _collect(model, data, "val", model.predict_logits)


def held_out_features(model: LongTailModule, data: LongTailDataModule) -> tuple[Tensor, Tensor]:
    """Return features (N, D) and labels (N,) of the held-out images.

    Raises:
        UserError: if the run has none.
    """
    check_held_out(data)
    return _collect(model, data, "val", model.features)


def training_features(model: LongTailModule, data: LongTailDataModule) -> tuple[Tensor, Tensor]:
    """Return features (N, D) and labels (N,) of the training images, not augmented."""
    return _collect(model, data, "train", model.features)


def check_held_out(data: LongTailDataModule) -> None:
    """Refuse data without held-out images.

    Raises:
        UserError: with the way to have some.
    """
    if not data.has_validation or data.monitor_test:
        raise UserError(
            "The run has no held-out images to fit on: train with --data.holdout.fraction 0.1, or "
            "give lt test the value, where there is one (--post_hoc.tau, --post_hoc.alpha)."
        )


def _collect(
    model: LongTailModule,
    data: LongTailDataModule,
    split: str,
    outputs: Callable[[Tensor], Tensor],
) -> tuple[Tensor, Tensor]:
    model.eval()
    device = model.device
    with torch.no_grad(), exact(device):
        pairs = [(outputs(x.to(device)).float(), y) for x, y in data.whole(split)]
    return torch.cat([z for z, _ in pairs]), torch.cat([y for _, y in pairs]).to(device)
