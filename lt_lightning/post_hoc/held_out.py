"""The outputs of a finished model on images it was not trained on."""

import torch
from torch import Tensor

from lt_lightning.data import LongTailDataModule
from lt_lightning.errors import UserError
from lt_lightning.methods import LongTailModule


def held_out_logits(model: LongTailModule, data: LongTailDataModule) -> tuple[Tensor, Tensor]:
    """Return logits (N, C) and labels (N,) of the held-out images.

    Raises:
        UserError: if the run has none; the test images are never taken instead.
    """
    if not data.has_validation or data.monitor_test:
        raise UserError(
            "The run has no held-out images to fit the knob on: give its value, such as "
            "--post_hoc.tau 1, or train with --data.holdout.fraction 0.1."
        )
    model.eval()
    data.prepare_data()
    data.setup("validate")
    with torch.inference_mode():
        pairs = [(model.predict_logits(x).float(), y) for x, y in data.eval_loader("val")]
    return torch.cat([z for z, _ in pairs]), torch.cat([y for _, y in pairs])
