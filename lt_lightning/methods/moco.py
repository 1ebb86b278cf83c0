"""Momentum contrast with a queue of keys, sized for small data sets."""

import copy
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor

from lt_lightning.augment.base import check_positive, check_range
from lt_lightning.data.loader import derive_seed
from lt_lightning.errors import UserError
from lt_lightning.heads import ProjectionHead
from lt_lightning.methods.base import run_seed
from lt_lightning.methods.branches import ProjectionFactory
from lt_lightning.methods.two_views import TwoViews


class MoCo(TwoViews):
    """Momentum contrast, version 2: finding the other view of an image among a queue of keys.

    L = -log exp(q.k / T) / (exp(q.k / T) + sum over the queue of exp(q.k' / T)), q = g(f(x_1)),
    k = g'(f'(x_2)), both of length 1. The key encoder g'f' has no gradient: before each step
    theta' = m theta' + (1 - m) theta. After it the keys of all processes replace the oldest of the
    queue.

    Batch norm tells which images were in a batch together. On several processes the images are
    therefore dealt out anew for the key encoder (shuffle-BN), each to a random process, and the
    keys are brought back; on one process there is one batch and nothing to shuffle.

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

    queue: Tensor
    pointer: Tensor

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
        self.momentum, self.temperature = momentum, temperature
        self.projection = projection(self.backbone.out_features)
        self.key_backbone = copy.deepcopy(self.backbone).requires_grad_(False)
        self.key_projection = copy.deepcopy(self.projection).requires_grad_(False)
        start = torch.randn(queue_size, self.projection.out_features)
        self.register_buffer("queue", F.normalize(start, dim=1))
        self.register_buffer("pointer", torch.zeros((), dtype=torch.int64))

    def setup(self, stage: str) -> None:
        """Refuse a queue that whole batches do not fill.

        Raises:
            UserError: with the option to set.
        """
        super().setup(stage)
        data: Any = getattr(self.trainer, "datamodule", None)
        if stage != "fit":
            return
        size = len(self.queue)
        if size % data.batch_size:
            raise UserError(
                f"queue_size {size} is no multiple of data.batch_size {data.batch_size}: give one, "
                f"such as --model.queue_size {-(-size // data.batch_size) * data.batch_size}."
            )
        if not data.drop_last:
            raise UserError(
                "MoCo needs batches that are all full, for they fill its queue: set "
                "--data.drop_last true."
            )

    def on_fit_start(self) -> None:
        """Begin with equal encoders, also where the backbone is that of another run."""
        super().on_fit_start()
        if self.trainer.ckpt_path is None:
            self.key_backbone.load_state_dict(self.backbone.state_dict())

    def unlabelled_step(self, images: Tensor, batch_idx: int) -> dict[str, Tensor]:
        """Return the loss of one batch of first and second views, (2 N, 3, H, W)."""
        first, second = images.chunk(2)
        queries: Tensor = self.projection(self.features(first))
        with torch.no_grad():
            self.move_key_encoder()
            keys = self.keys_of(second, batch_idx)
        loss, hits = contrast(queries, keys, self.queue, self.temperature)
        self.enqueue(every_row(keys))
        return {"loss": loss, "contrast_acc": hits}

    @torch.no_grad()
    def move_key_encoder(self) -> None:
        """Move the key encoder a little towards the other one."""
        for key, query in (
            (self.key_backbone, self.backbone),
            (self.key_projection, self.projection),
        ):
            for mine, other in zip(key.parameters(), query.parameters(), strict=True):
                mine.lerp_(other, 1 - self.momentum)

    def keys_of(self, images: Tensor, batch_idx: int) -> Tensor:
        """Return the keys of this process's images, (N, d), encoded in shuffled batches."""
        count, world = len(images), _world()
        if world == 1:
            return self._encode(images)
        # All processes draw the same order: the generator knows no rank.
        seed = derive_seed(run_seed(), self.current_epoch, batch_idx)
        order = torch.randperm(world * count, generator=torch.Generator().manual_seed(seed))
        order = order.to(images.device)
        mine = slice(dist.get_rank() * count, (dist.get_rank() + 1) * count)
        shuffled = every_row(self._encode(every_row(images)[order[mine]]))
        return shuffled[order.argsort()[mine]]

    def _encode(self, images: Tensor) -> Tensor:
        keys: Tensor = self.key_projection(self.key_backbone(self.arrange(images)))
        return keys

    @torch.no_grad()
    def enqueue(self, keys: Tensor) -> None:
        """Put keys (B, d) in the place of the oldest ones."""
        size = len(self.queue)
        places = (self.pointer + torch.arange(len(keys), device=keys.device)) % size
        self.queue.index_copy_(0, places, keys.to(self.queue.dtype))
        self.pointer.copy_((self.pointer + len(keys)) % size)


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
        logits = torch.cat([own, queries @ queue.clone().T], dim=1) / temperature
        target = torch.zeros(len(queries), dtype=torch.int64, device=queries.device)
        hits = (logits.argmax(dim=1) == target).float().mean()
        return F.cross_entropy(logits, target), hits


@torch.no_grad()
def every_row(rows: Tensor) -> Tensor:
    """Return the rows of all processes, in the order of the processes, without a gradient."""
    if _world() == 1:
        return rows.detach()
    rows = rows.detach().contiguous()
    parts = [torch.empty_like(rows) for _ in range(_world())]
    dist.all_gather(parts, rows)
    return torch.cat(parts)


def _world() -> int:
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1
