"""Batch norm over a batch of one image at 1 x 1: no variance, so no training step."""

from typing import Any

import torch
from torch import nn

from lt_lightning.data.datamodule import LongTailDataModule
from lt_lightning.data.loader import trained_batches
from lt_lightning.engine.freezing import batch_norms
from lt_lightning.errors import UserError


def check_single_images(
    module: Any, data: LongTailDataModule, stage: Any, limit: int | float | None
) -> None:
    """Refuse a batch of one image where a batch norm would see one number per channel.

    Args:
        module: the method, whose backbone is in the modes of training in `stage`.
        data: its data module, after `setup`.
        stage: which images are trained on.
        limit: trainer.limit_train_batches.

    Raises:
        UserError: if there is such a batch and the network cannot take it.
    """
    backbone = module.backbone
    if stage.features or not _has_single(data, stage, limit) or _takes(module, data, backbone):
        return
    raise UserError(
        f"A batch of training holds one image (data.batch_size {data.batch_size}, per process and "
        f"stream), whose maps in the batch norm of {type(backbone).__name__} are 1 x 1: set "
        "--data.drop_last true or another --data.batch_size of 2 or more."
    )


def _has_single(data: LongTailDataModule, stage: Any, limit: int | float | None) -> bool:
    """Return whether a batch of this process holds one image, in the batches that are trained."""
    if data.unlabelled is not None:
        return False  # how many images there will be is not known yet
    loaders = list(data.train_loaders(stage).values())
    batches = trained_batches(loaders, limit)
    return any(loader.has_single_image(batches) for loader in loaders)


def _takes(module: nn.Module, data: LongTailDataModule, backbone: nn.Module) -> bool:
    """Return whether the network can train on one image; nothing of it is changed."""
    norms = [norm for norm in batch_norms(module) if norm.training]
    if any(isinstance(norm, nn.SyncBatchNorm) for norm in norms):
        return True  # the other processes have images too
    inside = set(backbone.modules())
    if any(isinstance(norm, nn.BatchNorm1d) and norm not in inside for norm in norms):
        return False  # of a head: it sees one row
    size = int(data.facts()["image_size"])
    if size < 1 or not any(norm in inside for norm in norms):
        return True
    kept = {name: value.clone() for name, value in backbone.state_dict().items()}
    weight = next(backbone.parameters())  # of a double or half precision, say
    image = torch.zeros(1, 3, size, size, dtype=weight.dtype, device=weight.device)
    try:
        with torch.no_grad(), torch.random.fork_rng():
            backbone.forward(image)
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        return False
    finally:
        backbone.load_state_dict(kept)
    return True
