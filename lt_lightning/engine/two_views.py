"""What the methods share that compare two views of each image."""

from typing import Any

from torch import Tensor

from lt_lightning.data.datamodule import LongTailDataModule
from lt_lightning.data.loader import Batch
from lt_lightning.engine.base import LongTailModule
from lt_lightning.engine.self_supervised import SelfSupervised
from lt_lightning.errors import UserError

STREAM = "images"


def check_two_views(module: LongTailModule) -> None:
    """Refuse data that do not give two views of each image of the stream.

    Raises:
        UserError: with the option to set.
    """
    data = LongTailDataModule.of(module.trainer)
    views = 1 if data is None else data.views.get(STREAM, 1)
    if views != 2:
        raise UserError(
            f"{type(module).__name__} compares two views of an image but data.views gives "
            f"{views}: set --data.views.{STREAM} 2."
        )


class TwoViews(SelfSupervised):
    """Base of the methods without labels that compare two augmented views of each image.

    Args:
        kwargs: see SelfSupervised.
    """

    streams = (STREAM,)

    def setup(self, stage: str) -> None:
        """Refuse data that do not give two views of each image.

        Raises:
            UserError: with the option to set.
        """
        if stage == "fit":
            check_two_views(self)

    def training_step(self, batch: Any, batch_idx: int) -> dict[str, Tensor]:
        """Return the loss of one batch; its labels are left aside."""
        stream: Batch = batch[STREAM]
        return super().training_step(stream, batch_idx)
