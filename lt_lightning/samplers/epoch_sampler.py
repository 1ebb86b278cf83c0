"""One global draw per epoch, dealt out to the processes."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.utils.data import DistributedSampler

from lt_lightning.samplers.base import SamplingRule
from lt_lightning.samplers.class_index import ClassIndex


class EpochSampler(DistributedSampler):
    """One global draw per epoch, dealt out to the processes."""

    def __init__(self, rule: SamplingRule, labels: Tensor, *, num_classes: int, seed: int = 0, max_epochs: int = 1,
                 num_samples: int | None = None, num_replicas: int = 1, rank: int = 0, stream: int = 0) -> None:
        self.rule, self.index = rule, ClassIndex(labels, num_classes)
        self.seed, self.max_epochs, self.stream, self.epoch = seed, max_epochs, stream, 0
        self.num_replicas, self.rank = num_replicas, rank
        self.size = num_samples or rule.epoch_length(self.index)
        self.num_samples = -(-self.size // num_replicas)

    def __len__(self) -> int:
        return self.num_samples

    def global_indices(self) -> Tensor:
        g = torch.Generator().manual_seed((self.seed * 1000003 + self.epoch) * 97 + self.stream)
        idx = self.rule.draw(self.index, self.size, g, self.epoch, self.max_epochs)
        pad = self.num_samples * self.num_replicas - self.size
        return torch.cat([idx, idx[:pad]])

    def __iter__(self) -> Iterator[int]:
        return iter(self.global_indices()[self.rank :: self.num_replicas].tolist())
