"""The normalised classifier of several heads, with and without what all images have in common."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lt_lightning.errors import UserError
from lt_lightning.inputs import wide


def causal_logits(
    features: Tensor,
    weight: Tensor,
    *,
    num_heads: int = 2,
    scale: float = 16.0,
    gamma: float = 0.03125,
) -> Tensor:
    """Return z = (s / K) sum_k x^_k w^_k^T, (N, C).

    Args:
        features: x, (N, D).
        weight: w, (C, D).
        num_heads: K, a divisor of D.
        scale: s.
        gamma: see `CausalNormHead`.
    """
    return _logits(_unit(features, num_heads), weight, scale, gamma)


def total_direct_effect(
    features: Tensor,
    weight: Tensor,
    moving: Tensor,
    alpha: Tensor | float = 1.0,
    *,
    num_heads: int = 2,
    scale: float = 16.0,
    gamma: float = 0.03125,
) -> Tensor:
    """Return z = (s / K) sum_k (x^_k - alpha cos_k c^_k) w^_k^T, cos_k = x^_k . c^_k, (N, C).

    Paper: Tang et al., Long-Tailed Classification by Keeping the Good and Removing the Bad
    Momentum Causal Effect, NeurIPS 2020; see `CausalNormHead`.

    Args:
        features: x, (N, D).
        weight: w, (C, D).
        moving: c, (D,), see `moved_feature`; only its direction in each head matters.
        alpha: how much of c is taken out; 0 gives `causal_logits`.
        num_heads: K, a divisor of D.
        scale: s.
        gamma: see `CausalNormHead`.
    """
    parts, common = _unit(features, num_heads), _unit(moving[None], num_heads)
    along = (parts * common).sum(dim=2, keepdim=True)  # (N, K, 1)
    return _logits(parts - alpha * along * common, weight, scale, gamma)


def causal_cosines(features: Tensor, moving: Tensor, *, num_heads: int = 2) -> Tensor:
    """Return cos_k of each feature (N, D) and the moving one (D,), (N, K)."""
    return (_unit(features, num_heads) * _unit(moving[None], num_heads)).sum(dim=2)


def moved_feature(moving: Tensor, features: Tensor, *, momentum: float = 0.9) -> Tensor:
    """Return c after one step, mu c + mean of the features of the step, (D,), no gradient.

    Args:
        moving: c, (D,), zeros before the first step.
        features: of the step, (N, D), N at least 1.
        momentum: mu in [0, 1).
    """
    return momentum * moving + features.detach().to(moving.dtype).mean(dim=0)


def _unit(features: Tensor, num_heads: int) -> Tensor:
    """Return x^_k, (N, K, D / K); zeros stay zeros."""
    size = features.shape[1] // num_heads
    return F.normalize(torch.unflatten(wide(features), 1, (num_heads, size)), dim=2)


def _logits(parts: Tensor, weight: Tensor, scale: float, gamma: float) -> Tensor:
    heads = torch.unflatten(weight.to(parts.dtype), 1, parts.shape[1:])
    unit = heads / (heads.norm(dim=2, keepdim=True) + gamma)
    return scale / parts.shape[1] * F.linear(parts.flatten(1), unit.flatten(1))


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
        if not 0 < scale < float("inf"):
            raise UserError(f"The scale of the causal head is {scale}: give a positive number.")
        if not gamma >= 0:
            raise UserError(f"gamma is {gamma}: give 0 or more.")
        self.num_heads, self.scale, self.gamma = num_heads, scale, gamma
        bound = in_features**-0.5
        self.weight = nn.Parameter(torch.empty(num_classes, in_features).uniform_(-bound, bound))

    def forward(self, features: Tensor) -> Tensor:
        """Return the logits of training, (N, C), in float32 or wider."""
        with torch.autocast(features.device.type, enabled=False):
            return causal_logits(
                features, self.weight, num_heads=self.num_heads, scale=self.scale, gamma=self.gamma
            )

    def direct_effect(self, features: Tensor, moving: Tensor, alpha: Tensor | float) -> Tensor:
        """Return the total direct effect, (N, C); alpha 0 gives the logits of training.

        Args:
            features: (N, D).
            moving: the moving feature c, (D,); only its direction in each head matters, and zeros
                take nothing out.
            alpha: how much of c is taken out.
        """
        with torch.autocast(features.device.type, enabled=False):
            return total_direct_effect(
                features,
                self.weight,
                moving,
                alpha,
                num_heads=self.num_heads,
                scale=self.scale,
                gamma=self.gamma,
            )

    def cosines(self, features: Tensor, moving: Tensor) -> Tensor:
        """Return cos_k of each feature and the moving one, (N, K)."""
        with torch.autocast(features.device.type, enabled=False):
            return causal_cosines(features, moving, num_heads=self.num_heads)
