"""A trained linear classifier with its row norms evened out."""

import math

import torch
from torch import Tensor, nn

from lt_lightning.errors import UserError
from lt_lightning.heads.parts import bias_of, scale_of, weight_of

_TINY = 1e-12


class TauNormHead(nn.Module):
    """tau-normalised classifier z = x w~^T, w~_c = w_c / ||w_c||^tau.

    Paper: Kang et al., Decoupling, ICLR 2020, section 4.1.

    Args:
        first: a linear classifier.
        tau: 0 is W itself, 1 makes all rows equally long.
        keep_bias: add the bias of `first`, as Bag of Tricks does; Decoupling's code drops it.

    Raises:
        UserError: if `first` has no weight matrix or is normalised already, or if tau
            is below 0.
    """

    def __init__(self, first: nn.Module, *, tau: float = 1.0, keep_bias: bool = False) -> None:
        super().__init__()
        if not math.isfinite(tau) or tau < 0:
            raise UserError(f"tau is {tau}: give 0 or a number above, such as 1.")
        weight = weight_of(first)
        if weight is None or scale_of(first) is not None:
            raise UserError(
                f"tau-normalisation needs a linear classifier but the run has "
                f"{type(first).__name__}: use a run with LinearHead."
            )
        bias = bias_of(first) if keep_bias else None
        norms = weight.detach().norm(dim=1, keepdim=True).clamp_min(_TINY)
        self.register_buffer("weight", weight.detach() / norms**tau)
        self.register_buffer("bias", None if bias is None else bias.detach().clone())
        self.scale: float | None = None

    def forward(self, features: Tensor) -> Tensor:
        """Return the logits, (N, C)."""
        weight: Tensor = self.weight  # type: ignore[assignment]
        bias: Tensor | None = self.bias  # type: ignore[assignment]
        return torch.nn.functional.linear(features.to(weight.dtype), weight, bias)
