"""A method: what happens in a training step."""

from typing import Any

from torch import Tensor

from lt_lightning.methods import LongTailModule

Stream = tuple[Tensor, Tensor]


class TwoDraws(LongTailModule):
    """Every step sees a batch as it is drawn and a balanced one.

    L = (1 - weight) loss(z_u, y_u) + weight loss(z_b, y_b), z_u of the stream `uniform`, z_b of
    the stream `balanced`.

    Paper: write here where it stands.

    Args:
        weight: of the balanced stream, from 0 to 1.
        kwargs: see LongTailModule: backbone, head, loss, optimizer, lr_schedule and others.
    """

    streams = ("balanced", "uniform")  # data.samplers names a sampler for each

    def __init__(self, *, weight: float = 0.5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.weight = weight

    def training_step(self, batch: dict[str, Stream], batch_idx: int) -> dict[str, Tensor]:
        """Return the loss of a pair of batches; what else is returned is logged too."""
        (images_u, targets_u), (images_b, targets_b) = batch["uniform"], batch["balanced"]
        uniform = self.loss(self(images_u), targets_u)
        balanced = self.loss(self(images_b), targets_b)
        total = (1 - self.weight) * uniform + self.weight * balanced
        return self.log_train(len(targets_u), loss=total, loss_balanced=balanced)
