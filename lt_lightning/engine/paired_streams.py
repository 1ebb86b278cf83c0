"""Batches of named streams that a method takes image by image together."""

from typing import Any, Literal

from lt_lightning.data.datamodule import LongTailDataModule
from lt_lightning.data.loader import trained_batches
from lt_lightning.errors import UserError

Pairing = Literal["", "equal", "no_shorter"]  # that the last one is no shorter than the first


def check_paired(
    module: Any, data: LongTailDataModule, stage: Any, limit: int | float | None
) -> None:
    """Refuse streams whose last batches do not pair up.

    All other batches are full. Streams differ in their last one where their samplers draw epochs
    of other lengths and it is not left out.

    Args:
        module: the method; its `pairing` says what it needs of its streams.
        data: its data module, after `setup`.
        stage: which images are trained on.
        limit: trainer.limit_train_batches.

    Raises:
        UserError: if there are such batches in what is trained on.
    """
    if not module.pairing or stage.features or data.unlabelled is not None:
        return
    loaders = data.train_loaders(stage)
    batches = trained_batches(list(loaders.values()), limit)
    if batches < 1:
        return
    sizes = {name: loaders[name].batch_length(batches - 1) for name in module.streams}
    first, last = (sizes[name] for name in (module.streams[0], module.streams[-1]))
    if first == last or (module.pairing == "no_shorter" and last > first):
        return
    told = " and ".join(f"{size} of {name}" for name, size in sizes.items())
    images = " and ".join(str(len(loaders[name].sampler)) for name in module.streams)
    raise UserError(
        f"The last batch of an epoch has {told}, which {type(module).__name__} takes in pairs: "
        f"their samplers draw {images} images per process. Set --data.drop_last true, or one "
        "length, --data.epoch_length."
    )
