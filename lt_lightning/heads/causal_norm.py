"""The normalised classifier of several heads, with and without what all images have in common."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lt_lightning.errors import UserError


class CausalNormHead(nn.Module):
    """Multi-head normalised classifier z = (s / K) sum_k x^_k w^_k^T, without bias.

    Features and weights are cut into K heads of D / K numbers: x^_k = x_k / ||x_k||,
    w^_k = w_k / (||w_k|| + gamma). The total direct effect takes the moving feature c out:
    z = (s / K) sum_k (x^_k - alpha cos_k c^_k) w^_k^T, c^_k = c_k / ||c_k||, cos_k = x^_k . c^_k.

    Paper: Tang et al., Long-Tailed Classification by Keeping the Good and Removing the Bad
    Momentum Causal Effect, NeurIPS 2020 (its code, which normalises c per head; as recalled, the
    paper normalises it as a whole).

    Differs from the authors' code in that a head of zeros gives zeros, theirs NaN.

    Args:
        in_features: feature width D, a multiple of num_heads.
        num_classes: C.
        num_heads: K, at least 1.
        scale: s > 0, called tau in the paper.
        gamma: evens the lengths of the weights less, the larger it is; 0 or more.

    Raises:
        UserError: if D cannot be divided by num_heads, or a number is out of range.
    """

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        num_heads: int = 2,
        scale: float = 16.0,
        gamma: float = 0.03125,
    ) -> None:
        super().__init__()
        if num_heads < 1 or in_features % num_heads:
            raise UserError(
                f"num_heads is {num_heads} but the features have {in_features} numbers: give a "
                "divisor of it, such as 1 or 2."
            )
        if not scale > 0:
            raise UserError(f"The scale of the causal head is {scale}: give a positive number.")
        if not gamma >= 0:
            raise UserError(f"gamma is {gamma}: give 0 or more.")
        self.num_heads, self.scale, self.gamma = num_heads, scale, gamma
        bound = in_features**-0.5
        self.weight = nn.Parameter(torch.empty(num_classes, in_features).uniform_(-bound, bound))

    def forward(self, features: Tensor) -> Tensor:
        """Return the logits of training, (N, C), in float32 or wider."""
        with torch.autocast(features.device.type, enabled=False):
            return self._logits(self._unit(features))

    def direct_effect(self, features: Tensor, moving: Tensor, alpha: Tensor | float) -> Tensor:
        """Return the total direct effect, (N, C); alpha 0 gives the logits of training.

        Args:
            features: (N, D).
            moving: the moving feature c, (D,); only its direction in each head matters, and zeros
                take nothing out.
            alpha: how much of c is taken out.
        """
        with torch.autocast(features.device.type, enabled=False):
            parts, common = self._unit(features), self._unit(moving[None])
            along = (parts * common).sum(dim=2, keepdim=True)  # (N, K, 1)
            return self._logits(parts - alpha * along * common)

    def cosines(self, features: Tensor, moving: Tensor) -> Tensor:
        """Return cos_k of each feature and the moving one, (N, K)."""
        with torch.autocast(features.device.type, enabled=False):
            return (self._unit(features) * self._unit(moving[None])).sum(dim=2)

    def _unit(self, features: Tensor) -> Tensor:
        """Return x^_k, (N, K, D / K); zeros stay zeros."""
        wide = features if features.dtype == torch.float64 else features.float()
        size = self.weight.shape[1] // self.num_heads
        return F.normalize(torch.unflatten(wide, 1, (self.num_heads, size)), dim=2)

    def _logits(self, parts: Tensor) -> Tensor:
        weight = torch.unflatten(self.weight.to(parts.dtype), 1, parts.shape[1:])
        weight = weight / (weight.norm(dim=2, keepdim=True) + self.gamma)
        return self.scale / self.num_heads * F.linear(parts.flatten(1), weight.flatten(1))
