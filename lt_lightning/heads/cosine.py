"""The normalised classifier of LDAM and others."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lt_lightning.errors import UserError
from lt_lightning.inputs import wide


class CosineHead(nn.Module):
    """Scaled cosine classifier z = s * cos(x, w_c), without bias.

    Paper: Cao et al., LDAM-DRW, NeurIPS 2019 (NormedLinear of its code).

    Differs from the authors' code in that the scale s is in the head and not in the loss, so that
    softmax and calibration of the logits have a meaning.

    Args:
        in_features: feature width D.
        num_classes: C.
        scale: s > 0; 30 in LDAM-DRW.

    Raises:
        UserError: if the scale is not positive.
    """

    def __init__(self, in_features: int, num_classes: int, *, scale: float = 30.0) -> None:
        super().__init__()
        if not 0 < scale < float("inf"):
            raise UserError(f"The scale of the cosine head is {scale}: give a positive number.")
        self.scale = scale
        self.weight = nn.Parameter(torch.empty(num_classes, in_features).uniform_(-1, 1))
        with torch.no_grad():
            self.weight.copy_(F.normalize(self.weight, dim=1))

    def forward(self, features: Tensor) -> Tensor:
        """Return the logits (N, C), each in [-s, s], in float32 or wider."""
        with torch.autocast(features.device.type, enabled=False):
            fine = wide(features)
            weight = self.weight.to(fine.dtype)
            return self.scale * F.linear(F.normalize(fine, dim=1), F.normalize(weight, dim=1))
