"""What the methods that train without labels share: how they are tested all the same."""

from abc import abstractmethod
from pathlib import Path
from typing import Any

from torch import Tensor

from lt_lightning.data.datamodule import LongTailDataModule
from lt_lightning.data.loader import Batch
from lt_lightning.engine.averaging import refuse_averaging
from lt_lightning.engine.base import LongTailModule
from lt_lightning.engine.float32 import float32
from lt_lightning.errors import UserError
from lt_lightning.heads import NearestMeanHead
from lt_lightning.losses import CrossEntropy
from lt_lightning.mid_epoch import ends_here, is_over

TAKEN_AT = "lt_class_means_at"  # in a checkpoint: the optimizer steps that were done by then


class SelfSupervised(LongTailModule):
    """Base of the methods that train the backbone without labels, for `backbone_init`.

    Such a run has no classifier. So that it can be tested, an image is given the class whose mean
    feature is nearest (`NearestMeanHead`, on the training images as evaluation sees them). The
    means are taken anew before each validation and test and where the training ends; labels play
    a part in them alone, never in training. Results are stamped and not ranked with those of
    classifiers.

    Args:
        kwargs: see LongTailModule; there is neither head nor loss to choose.
    """

    self_supervised = True
    head: NearestMeanHead

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(head=NearestMeanHead.unfitted, loss=CrossEntropy, **kwargs)
        self._taken_at: int | None = None

    @abstractmethod
    def unlabelled_step(self, images: Tensor, batch_idx: int) -> dict[str, Tensor]:
        """Return the "loss" of a batch of images, and further terms to log."""

    def training_step(self, batch: Batch, batch_idx: int) -> dict[str, Tensor]:
        """Return the loss of one batch; its labels are left aside."""
        images, _ = batch
        return self.log_train(len(images), **self.unlabelled_step(images, batch_idx))

    def on_fit_start(self) -> None:
        """Refuse an average of weights, of which the class means would be none."""
        refuse_averaging(
            self.trainer,
            "keep other weights than those whose class means are taken: leave it out",
        )
        super().on_fit_start()

    def take_class_means(self) -> None:
        """Take the class means of the features of the training images."""
        data = LongTailDataModule.of(self.trainer)
        assert data is not None, "a module without labels is tested on a LongTailDataModule"
        loader = data.whole("train")
        self.head.fit(self.stage_features(loader), loader.images.labels.to(self.device))
        self._taken_at = self.trainer.global_step

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the class means where a training ends within an epoch; note their step."""
        super().on_save_checkpoint(checkpoint)
        if self.trainer.training and ends_here(self.trainer):
            self.take_last_means()
            checkpoint["state_dict"].update(self.head.state_dict(prefix="head."))
        checkpoint[TAKEN_AT] = self._taken_at

    def check_predicts(self, content: dict[str, Any], path: str | Path) -> None:
        """Refuse class means of other weights than those of a checkpoint, or none.

        Raises:
            UserError: with what takes them.
        """
        steps = content.get("global_step")
        # A checkpoint of an earlier version does not tell: means that are all 0 are none there.
        taken = content.get(TAKEN_AT, steps) == steps
        if not taken or not content["state_dict"]["head.centroids"].any():
            raise UserError(
                f"The checkpoint {path} is of a training without labels that was cut before it "
                "took the class means that predictions need: go on with it, lt fit and --ckpt_path "
                "last."
            )

    def on_validation_start(self) -> None:
        """Take the class means, but for the trial before the first epoch."""
        if not self.trainer.sanity_checking:
            self.take_class_means()

    def on_test_start(self) -> None:
        """Take the class means."""
        self.take_class_means()

    def on_train_epoch_end(self) -> None:
        """Take the class means where the training ends, for `lt predict` reads them."""
        if is_over(self.trainer, self.current_epoch + 1):
            self.take_last_means()

    def take_last_means(self) -> None:
        """Take the class means in training, unless they are of this step."""
        if self._taken_at != self.trainer.global_step:
            with float32(self.trainer, self):
                self.take_class_means()

    def on_test_epoch_end(self) -> None:
        """Log the metrics of the test images, and those of the method's own task."""
        super().on_test_epoch_end()
        values = {f"test/{name}": value for name, value in self.pretext_values().items()}
        self.log_dict(values, sync_dist=True)
