"""A method that logs by itself, in every way that Lightning knows."""

import torch

from lt_lightning.methods import ERM


class Talkative(ERM):
    """Cross-entropy, with much beside it."""

    def on_train_batch_start(self, batch, batch_idx):
        """Log the same as a mean over batches."""
        self.log("place", float(batch_idx), on_step=False, on_epoch=True, batch_size=1)

    def training_step(self, batch, batch_idx):
        """Log by name, by place, by function; with and without the size of the batch."""
        images, targets = batch
        bright = images.float().mean()
        self.log("own/mean", bright, on_epoch=True)
        self.log("own/sized", bright, False, True, False, True, batch_size=len(images) // 2)
        first = (targets == 0).float().sum()
        self.log("own/count", first, on_epoch=True, on_step=False, reduce_fx=sum, batch_size=9)
        self.log("own/max", bright, on_epoch=True, on_step=False, reduce_fx=torch.max)
        self.log("own/min", bright.double(), on_epoch=True, on_step=False, reduce_fx="MIN")
        if batch_idx == 1:
            self.log("own/once", float(batch_idx), on_step=False, on_epoch=True)
        if batch_idx > 2:
            self.log("own/late", 3 * bright, on_step=False, on_epoch=True, reduce_fx="avg")
        self.log("own/last", bright)  # of a step, which is kept by nothing
        return super().training_step(batch, batch_idx)
