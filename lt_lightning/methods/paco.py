"""Parametric contrastive learning: one softmax over class centers and other images."""

from typing import Any

import torch
from torch import Tensor

from lt_lightning.data.datamodule import LongTailDataModule
from lt_lightning.data.loader import Batch
from lt_lightning.data.reader import derive_seed
from lt_lightning.engine.base import LongTailModule, LossFactory
from lt_lightning.engine.branches import ProjectionFactory
from lt_lightning.engine.draws import run_seed
from lt_lightning.engine.key_encoder import KeyEncoder
from lt_lightning.engine.key_queue import KeyQueue
from lt_lightning.engine.two_views import STREAM, check_two_views
from lt_lightning.engine.whole_batch import by_place, every_row, whole_batch
from lt_lightning.errors import UserError
from lt_lightning.heads import ProjectionHead
from lt_lightning.inputs import wide
from lt_lightning.losses import LogitAdjustment, gather, parametric_contrastive_loss, reduce
from lt_lightning.losses.checks import check_range


class PaCo(LongTailModule):
    """Parametric contrastive learning: the classifier's logits are columns of a contrastive loss.

    The first view x_1 of each image gives its logits z = h(f(x_1)) and its query q = g(f(x_1)), the
    second a key, from an encoder that follows slowly (KeyEncoder). The loss
    (`parametric_contrastive_loss`) is a softmax over the C logits, with the log-prior, and the
    similarities to the other queries, to the keys of the batch and to a queue of earlier keys; the
    positives are the own class, with the weight beta, and each sample of it, with the weight
    alpha. At test only the classifier is used, without the log-prior.

    Paper: Cui et al., Parametric Contrastive Learning, ICCV 2021.

    Differs from the authors' code: on several processes the queries of all are contrasted with
    each other, so that the loss is that of one process; the queue begins empty and not with random
    labels; both views are augmented alike.

    Args:
        loss: makes what the logits are adjusted by, and the class weights: LogitAdjustment, or
            BalancedSoftmax, which is the same with tau 1; tau 0 leaves the prior out.
        projection: makes g; called with D.
        center_weight: beta, above 0.
        sample_weight: alpha, at least 0; 0.01 on CIFAR-100-LT (0.02 at ratio 100 in an earlier
            version of the code), 0.05 on ImageNet-LT and iNaturalist. An image has alpha times as
            many positives as there are samples of its class, so fewer classes want less.
        temperature: T, above 0; 0.05 on CIFAR-100-LT.
        queue_size: keys in the queue, a multiple of data.batch_size.
        momentum: of the key encoder, in [0, 1].
        kwargs: see LongTailModule.

    Raises:
        UserError: if a number is out of range or the loss another; before training, if the data
            have not two views, the queue is no multiple of the batch, or batches are not all full.
    """

    streams = (STREAM,)

    def __init__(
        self,
        *,
        loss: LossFactory = LogitAdjustment,
        projection: ProjectionFactory = ProjectionHead,
        center_weight: float = 1.0,
        sample_weight: float = 0.02,
        temperature: float = 0.05,
        queue_size: int = 1024,
        momentum: float = 0.999,
        **kwargs: Any,
    ) -> None:
        super().__init__(loss=loss, **kwargs)
        if not isinstance(self.loss, LogitAdjustment):
            raise UserError(
                f"PaCo adjusts logits but model.loss is {type(self.loss).__name__}: set "
                "--model.loss LogitAdjustment."
            )
        self.center_weight = check_range("center_weight", center_weight, open_low=True)
        self.sample_weight = check_range("sample_weight", sample_weight)
        self.temperature = check_range("temperature", temperature, open_low=True)
        check_range("queue_size", queue_size, 1)
        check_range("momentum", momentum, 0, 1)
        self.projection = projection(self.backbone.out_features)
        self.key_encoder = KeyEncoder(self.backbone, self.projection, momentum, self.memory_format)
        self.queue = KeyQueue(queue_size, self.projection.out_features)

    def setup(self, stage: str) -> None:
        """Refuse data without two views of each image, or that do not fill the queue.

        Raises:
            UserError: with the option to set.
        """
        if stage == "fit":
            check_two_views(self)
            data = LongTailDataModule.of(self.trainer)
            if data is not None:
                self.queue.check(type(self).__name__, data)

    def on_fit_start(self) -> None:
        """Begin with equal encoders, also where the backbone is that of another run."""
        super().on_fit_start()
        if self.trainer.ckpt_path is None:
            self.key_encoder.become(self.backbone, self.projection)

    def training_step(self, batch: dict[str, Batch], batch_idx: int) -> dict[str, Tensor]:
        """Return the loss of one batch of first and second views."""
        images, labels = batch[STREAM]
        first, second = images.chunk(2)
        features, targets = self.features(first), labels[: len(first)]
        self.key_encoder.follow(self.backbone, self.projection)
        seed = derive_seed(run_seed(), self.current_epoch, batch_idx)
        keys = every_row(self.key_encoder.keys_of(second, seed))
        value = self._contrast(self.head(features), self.projection(features), targets, keys)
        self.queue.add(by_place(keys), whole_batch(targets))
        return self.log_train(len(targets), loss=value)

    def _contrast(self, logits: Tensor, queries: Tensor, targets: Tensor, keys: Tensor) -> Tensor:
        """Return the mean loss of the queries of all processes."""
        assert isinstance(self.loss, LogitAdjustment)
        # half precision is too coarse for logits of 1 / T, and autocast would go back to it
        with torch.autocast(logits.device.type, enabled=False):
            adjusted = gather(wide(logits) + self.loss.adjustment)
            labels = every_row(targets)
            # A copy: the queue changes before the gradients are computed.
            values = parametric_contrastive_loss(
                adjusted,
                gather(wide(queries)),
                labels,
                torch.cat([wide(keys), self.queue.keys.clone()]),
                torch.cat([labels, self.queue.labels.clone()]),
                center_weight=self.center_weight,
                sample_weight=self.sample_weight,
                temperature=self.temperature,
            )
            return reduce(values, self.loss.weight[labels], self.loss.reduction)
