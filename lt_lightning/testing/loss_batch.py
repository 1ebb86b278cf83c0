"""A batch for a loss of any kind, and what the loss makes of it."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from lt_lightning.inputs import ClassCounts
from lt_lightning.losses import Loss

COUNTS = (500, 9, 37, 120, 1, 60)  # unsorted, a class with one image
HALF = (torch.bfloat16, torch.float16)
LossMaker = Callable[[ClassCounts], Loss]


class LossBatch(NamedTuple):
    """Logits (N, outputs), targets (N,) and features (N, 4)."""

    logits: Tensor
    targets: Tensor
    features: Tensor

    def with_logits(self, logits: Tensor) -> "LossBatch":
        """Return the same with other logits."""
        return LossBatch(logits, self.targets, self.features)

    def take(self, index: Tensor) -> "LossBatch":
        """Return some of the rows, in that order."""
        return LossBatch(self.logits[index], self.targets[index], self.features[index])


def batch_for(loss: Loss, n: int = 17) -> LossBatch:
    """Return N rows that `loss` takes, the same each time."""
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(n, loss.num_outputs, generator=generator)
    features = torch.randn(n, 4, generator=generator)
    targets = torch.randint(len(COUNTS), (n,), generator=generator)
    if loss.scale is not None:
        logits = loss.scale * torch.tanh(logits / loss.scale)
    return LossBatch(logits, targets, features)


def value_of(loss: Loss, batch: LossBatch, share: Tensor | None = None) -> Tensor:
    """Return the loss of a batch."""
    value: Tensor = loss(batch.logits, batch.targets, share, features=batch.features)
    return value


def gradient_of(loss: Loss, batch: LossBatch) -> tuple[Tensor, Tensor]:
    """Return the loss of a batch, and its gradient by the logits."""
    logits = batch.logits.clone().requires_grad_()
    value = value_of(loss, batch.with_logits(logits))
    (slope,) = torch.autograd.grad(value, logits)
    return value.detach(), slope


def extremes_of(loss: Loss, batch: LossBatch) -> dict[str, Tensor]:
    """Return logits that are as large as can be, by what they are."""
    far = loss.scale or 1e4
    target = F.one_hot(batch.targets, loss.num_outputs) * 2 * far - far
    same = torch.ones_like(batch.logits)
    return {
        "of both signs": torch.where(batch.logits > 0, far, -far),
        "all for the target": target.float(),
        "all against the target": -target.float(),
        "all equal and large": far * same,
        "all equal and very negative": -far * same,
        "all zero": 0 * same,
    }
