"""The encoder of keys that follows the trained one."""

import copy
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from lt_lightning.engine.whole_batch import every_row
from lt_lightning.processes import own_rank, processes


class KeyEncoder(nn.Module):
    """A copy of backbone and projection without a gradient: theta' = m theta' + (1 - m) theta.

    Batch norm tells which images were in a batch together. On several processes the images are
    therefore dealt out anew (shuffle-BN), each to a random process, and the keys are brought back;
    on one process there is one batch and nothing to shuffle.

    Paper: He et al., Momentum Contrast, CVPR 2020, Algorithm 1 and section 3.3.

    Args:
        backbone: the trained network, copied.
        projection: the trained projection, copied.
        momentum: m, in [0, 1].
        memory_format: of the images that the backbone gets.
    """

    def __init__(
        self,
        backbone: nn.Module,
        projection: nn.Module,
        momentum: float,
        memory_format: torch.memory_format,
    ) -> None:
        super().__init__()
        self.backbone = copy.deepcopy(backbone).requires_grad_(False)
        self.projection = copy.deepcopy(projection).requires_grad_(False)
        self.momentum, self.memory_format = momentum, memory_format

    def _pairs(
        self, backbone: nn.Module, projection: nn.Module
    ) -> Iterator[tuple[nn.Module, nn.Module]]:
        yield self.backbone, backbone
        yield self.projection, projection

    def become(self, backbone: nn.Module, projection: nn.Module) -> None:
        """Take over all weights and statistics."""
        for mine, other in self._pairs(backbone, projection):
            mine.load_state_dict(other.state_dict())

    @torch.no_grad()
    def follow(self, backbone: nn.Module, projection: nn.Module) -> None:
        """Move the weights a little towards those of the trained encoder."""
        for mine, other in self._pairs(backbone, projection):
            for own, new in zip(mine.parameters(), other.parameters(), strict=True):
                own.lerp_(new, 1 - self.momentum)

    @torch.no_grad()
    def keys_of(self, images: Tensor, seed: int) -> Tensor:
        """Return the keys of this process's images, (N, d), encoded in shuffled batches.

        Args:
            images: (N, 3, H, W), as many on every process.
            seed: of the order; the same on every process.
        """
        count, world = len(images), processes()
        if world == 1:
            return self._encode(images)
        # All processes draw the same order: the generator knows no rank.
        order = torch.randperm(world * count, generator=torch.Generator().manual_seed(seed))
        order = order.to(images.device)
        mine = slice(own_rank() * count, (own_rank() + 1) * count)
        shuffled = every_row(self._encode(every_row(images)[order[mine]]))
        return shuffled[order.argsort()[mine]]

    def _encode(self, images: Tensor) -> Tensor:
        arranged = images.contiguous(memory_format=self.memory_format)
        keys: Tensor = self.projection(self.backbone(arranged))
        return keys
