"""What the methods share that compare two views of each image."""

from typing import Any

from torch import Tensor

from lt_lightning.data.loader import Batch
from lt_lightning.errors import UserError
from lt_lightning.methods.self_supervised import SelfSupervised

_STREAM = "images"


class TwoViews(SelfSupervised):
    """Base of the methods without labels that compare two augmented views of each image.

    Args:
        kwargs: see SelfSupervised.
    """

    streams = (_STREAM,)

    def setup(self, stage: str) -> None:
        """Refuse data that do not give two views of each image.

        Raises:
            UserError: with the option to set.
        """
        data: Any = getattr(self.trainer, "datamodule", None)
        views = getattr(data, "views", {}).get(_STREAM, 1)
        if stage == "fit" and views != 2:
            raise UserError(
                f"{type(self).__name__} compares two views of an image but data.views gives "
                f"{views}: set --data.views.{_STREAM} 2."
            )

    def training_step(self, batch: Any, batch_idx: int) -> dict[str, Tensor]:
        """Return the loss of one batch; its labels are left aside."""
        stream: Batch = batch[_STREAM]
        return super().training_step(stream, batch_idx)
