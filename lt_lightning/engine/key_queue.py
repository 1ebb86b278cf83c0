"""A queue of the last keys, and of their labels where there are some."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lt_lightning.data.datamodule import LongTailDataModule
from lt_lightning.errors import UserError

NOT_LABELLED = -1


class KeyQueue(nn.Module):
    """The last keys of all processes; new ones take the places of the oldest.

    Paper: He et al., Momentum Contrast, CVPR 2020, section 3.2.

    Args:
        size: keys in the queue, a multiple of data.batch_size.
        width: numbers in a key.

    Attributes:
        keys: (K, d), each of length 1; random directions at first.
        labels: int64 (K,), NOT_LABELLED where a key has none.
    """

    keys: Tensor
    labels: Tensor
    pointer: Tensor

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.register_buffer("keys", F.normalize(torch.randn(size, width), dim=1))
        self.register_buffer("labels", torch.full((size,), NOT_LABELLED))
        self.register_buffer("pointer", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def add(self, keys: Tensor, labels: Tensor | None = None) -> None:
        """Put keys (B, d), and their labels, in the place of the oldest ones."""
        size = len(self.keys)
        places = (self.pointer + torch.arange(len(keys), device=keys.device)) % size
        self.keys.index_copy_(0, places, keys.to(self.keys.dtype))
        if labels is not None:
            self.labels.index_copy_(0, places, labels)
        self.pointer.copy_((self.pointer + len(keys)) % size)

    def check(self, method: str, data: LongTailDataModule) -> None:
        """Refuse a queue that whole batches do not fill.

        Raises:
            UserError: with the option to set.
        """
        size = len(self.keys)
        if size % data.batch_size:
            raise UserError(
                f"queue_size {size} is no multiple of data.batch_size {data.batch_size}: give one, "
                f"such as --model.queue_size {-(-size // data.batch_size) * data.batch_size}."
            )
        if not data.drop_last:
            raise UserError(
                f"{method} needs batches that are all full, for they fill its queue: set "
                "--data.drop_last true."
            )
