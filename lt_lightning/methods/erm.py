"""Plain training with any loss, sampler and augmentation."""

from torch import Tensor

from lt_lightning.methods.base import LongTailModule


class ERM(LongTailModule):
    """One network, one stream, any loss: cross-entropy is the baseline of every table.

    L = loss(head(backbone(x)), y), averaged as the loss says.

    Paper: the baseline; with other losses: the re-weighting remedies, one YAML each.
    """

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> dict[str, Tensor]:
        """Return the loss of one batch."""
        images, targets = batch
        return self.log_train(len(targets), loss=self.loss(self(images), targets))
