"""Momentum contrast with a queue of keys, sized for small data sets."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lt_lightning.augment.base import check_positive, check_range
from lt_lightning.data.datamodule import LongTailDataModule
from lt_lightning.data.reader import derive_seed
from lt_lightning.engine.branches import ProjectionFactory
from lt_lightning.engine.draws import run_seed
from lt_lightning.engine.key_encoder import KeyEncoder
from lt_lightning.engine.key_queue import KeyQueue
from lt_lightning.engine.two_views import TwoViews
from lt_lightning.engine.whole_batch import whole_batch
from lt_lightning.heads import ProjectionHead
from lt_lightning.metrics import predicted_class


class MoCo(TwoViews):
    """Momentum contrast, version 2: finding the other view of an image among a queue of keys.

    L = -log exp(q.k / T) / (exp(q.k / T) + sum over the queue of exp(q.k' / T)), q = g(f(x_1)),
    k = g'(f'(x_2)), both of length 1. The key encoder g'f' has no gradient: before each step
    theta' = m theta' + (1 - m) theta. After it the keys of all processes replace the oldest of the
    queue.

    Paper: Chen et al., Improved Baselines with Momentum Contrastive Learning, arXiv 2020; He et
    al., Momentum Contrast, CVPR 2020, Algorithm 1; as pre-training for long tails Yang and Xu
    (SSP), NeurIPS 2020.

    Differs from the authors' code in the size of the queue: 65,536 keys would hold each image of
    CIFAR-LT several times. Written here and not taken from `lightly`, which needs a second copy of
    Lightning (pytorch_lightning) and hydra for these lines.

    Args:
        queue_size: keys in the queue, a multiple of data.batch_size.
        momentum: m, in [0, 1].
        temperature: T, above 0.
        projection: makes g; called with D.
        kwargs: see SelfSupervised.

    Raises:
        UserError: if a number is out of range; before training, if the queue is no multiple of the
            batch, or batches are not all full.
    """

    def __init__(
        self,
        *,
        queue_size: int = 4096,
        momentum: float = 0.999,
        temperature: float = 0.2,
        projection: ProjectionFactory = ProjectionHead,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_range("queue_size", queue_size, 1)
        check_range("momentum", momentum, 0, 1)
        check_positive("temperature", temperature)
        self.temperature = temperature
        self.projection = projection(self.backbone.out_features)
        self.key_encoder = KeyEncoder(self.backbone, self.projection, momentum, self.memory_format)
        self.queue = KeyQueue(queue_size, self.projection.out_features)

    def setup(self, stage: str) -> None:
        """Refuse a queue that whole batches do not fill.

        Raises:
            UserError: with the option to set.
        """
        super().setup(stage)
        data = LongTailDataModule.of(self.trainer)
        if stage == "fit" and data is not None:
            self.queue.check(type(self).__name__, data)

    def on_fit_start(self) -> None:
        """Begin with equal encoders, also where the backbone is that of another run."""
        super().on_fit_start()
        if self.trainer.ckpt_path is None:
            self.key_encoder.become(self.backbone, self.projection)

    def unlabelled_step(self, images: Tensor, batch_idx: int) -> dict[str, Tensor]:
        """Return the loss of one batch of first and second views, (2 N, 3, H, W)."""
        first, second = images.chunk(2)
        queries: Tensor = self.projection(self.features(first))
        self.key_encoder.follow(self.backbone, self.projection)
        seed = derive_seed(run_seed(), self.current_epoch, batch_idx)
        keys = self.key_encoder.keys_of(second, seed)
        loss, hits = contrast(queries, keys, self.queue.keys, self.temperature)
        self.queue.add(whole_batch(keys))
        return {"loss": loss, "contrast_acc": hits}


def contrast(
    queries: Tensor, keys: Tensor, queue: Tensor, temperature: float
) -> tuple[Tensor, Tensor]:
    """Return the loss, and the share of queries whose own key is the nearest.

    Args:
        queries: (N, d), of length 1.
        keys: (N, d), of length 1; row i is another view of the image of row i of `queries`.
        queue: (K, d), keys of other images.
        temperature: T.
    """
    with torch.autocast(queries.device.type, enabled=False):
        own = (queries * keys).sum(dim=1, keepdim=True)
        # A copy: the queue changes before the gradients are computed.
        others = queue.to(queries.dtype, copy=True)
        logits = torch.cat([own, queries @ others.T], dim=1) / temperature
        target = torch.zeros(len(queries), dtype=torch.int64, device=queries.device)
        hits = (predicted_class(logits) == target).float().mean()
        return F.cross_entropy(logits, target), hits
