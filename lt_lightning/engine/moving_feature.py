"""The moving feature of causal training: what the last batches have in common."""

from collections.abc import Callable

import torch
import torch.distributed as dist
from torch import Tensor, nn

from lt_lightning.processes import processes

_LEAST_COSINE = 1e-3


class MovingFeature(nn.Module):
    """c <- mu c + mean of the features of a step, the same on every process.

    Beside it the mean cosine of features and c is kept, over the same stretch of steps. All of
    it are buffers of at least float32, so they move, are saved and go on with the weights. A step
    may have several batches on several processes: the mean is over all of its images.

    Args:
        width: feature width D.
    """

    value: Tensor
    cosine: Tensor
    pending: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("value", torch.zeros(width))
        self.register_buffer("cosine", torch.zeros(2))  # weighted sum, sum of the weights
        # Sums of the step that is under way: features, images, cosines, cosines counted.
        self.register_buffer("pending", torch.zeros(width + 3), persistent=False)

    @torch.no_grad()
    def add(self, features: Tensor, cosines: Tensor) -> None:
        """Count one batch of this process for the step.

        Args:
            features: (N, D).
            cosines: (N, K), of the features and `value`.
        """
        wide = features.detach().to(self.pending.dtype)
        known = (self.value != 0).any().to(wide.dtype)  # no cosine before the first step
        ones = torch.ones_like(wide[:, 0]).sum()
        sums = torch.stack([ones, cosines.detach().mean(dim=1).sum() * known, ones * known])
        found = torch.cat([wide.sum(dim=0), sums.to(wide.dtype)])
        if processes() > 1:
            dist.all_reduce(found)
        self.pending += found

    @torch.no_grad()
    def step(self, momentum: float) -> None:
        """Move c by the mean of what was counted, and begin to count anew."""
        width = len(self.value)
        mean, (images, cosines, counted) = self.pending[:width], self.pending[width:]
        self.value.mul_(momentum).add_(mean / images.clamp_min(1))
        newest = torch.stack([cosines / counted.clamp_min(1), (counted > 0).to(cosines.dtype)])
        self.cosine.mul_(momentum).add_(newest)
        self.pending.zero_()

    def alpha(self) -> Tensor:
        """Return the alpha with which alpha times the mean cosine is 1; 0 while it is not known."""
        total, weight = self.cosine
        mean = (total / weight.clamp_min(_LEAST_COSINE)).clamp_min(_LEAST_COSINE)
        return torch.where(weight > 0, 1 / mean, 0)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "MovingFeature":
        # in half precision the mean of many batches would stand still
        def keep_wide(tensor: Tensor) -> Tensor:
            moved = fn(tensor)
            return tensor.to(moved.device) if moved.dtype.itemsize < 4 else moved

        super()._apply(keep_wide, recurse)  # type: ignore[no-untyped-call]  # torch's own
        return self
