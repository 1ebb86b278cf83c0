"""What every sampling rule gives."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from lt_lightning.samplers.class_index import ClassIndex


class SamplingRule(ABC):
    """Which images make up an epoch; only stores parameters."""

    def epoch_length(self, index: ClassIndex) -> int:
        """Return N."""
        return int(index.counts.sum())

    @abstractmethod
    def draw(
        self, index: ClassIndex, size: int, generator: torch.Generator, epoch: int, max_epochs: int
    ) -> Tensor:
        """Return the images of one epoch."""


def draw_by_class(index: ClassIndex, p: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Draw classes with probability p, then a member of each uniformly."""
    classes = torch.multinomial(p.double(), size, True, generator=generator)
    u = torch.rand(size, generator=generator, dtype=torch.float64)
    return index.order[index.start[classes] + (u * index.counts[classes]).long()]
