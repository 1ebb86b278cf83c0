"""Batches of named streams that a method takes image by image together."""

from typing import Any

from lt_lightning.data.datamodule import LongTailDataModule
from lt_lightning.data.loader import trained_batches
from lt_lightning.errors import UserError


def check_paired(
    module: Any, data: LongTailDataModule, stage: Any, limit: int | float | None
) -> None:
    """Refuse streams whose last batches do not pair up.

    All other batches are full. Streams differ in their last one where their samplers draw epochs
    of other lengths and it is not left out.

    Args:
        module: the method; its `pairs_up` says what it can take.
        data: its data module, after `setup`.
        stage: which images are trained on.
        limit: trainer.limit_train_batches.

    Raises:
        UserError: if there are such batches in what is trained on.
    """
    if len(module.streams) < 2 or stage.name or data.unlabelled is not None:
        return  # one stream at a time, or how many images there will be is not known yet
    loaders = data.train_loaders(stage)
    batches = trained_batches(list(loaders.values()), limit)
    sizes = {name: loader.batch_length(batches - 1) for name, loader in loaders.items()}
    if batches < 1 or module.pairs_up(sizes):
        return
    told = " and ".join(f"{size} of {name}" for name, size in sizes.items())
    images = " and ".join(str(len(loader.sampler)) for loader in loaders.values())
    raise UserError(
        f"The last batch of an epoch has {told}, which {type(module).__name__} takes in pairs: "
        f"their samplers draw {images} images per process. Set --data.drop_last true, or one "
        "length, --data.epoch_length."
    )
