"""The cosine classifier of open long-tailed recognition."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lt_lightning.errors import UserError
from lt_lightning.inputs import wide


def squashed_cosine_logits(features: Tensor, weight: Tensor, *, scale: float = 16.0) -> Tensor:
    """Return s (||x|| / (1 + ||x||)) cos(x, w_c), (N, C); 0 for a feature of zeros.

    Args:
        features: x, (N, D).
        weight: w, (C, D).
        scale: s.
    """
    squashed = features / (1 + features.norm(dim=1, keepdim=True))
    return scale * F.linear(squashed, F.normalize(weight, dim=1))


class SquashedCosineHead(nn.Module):
    """Cosine classifier of squashed features, z_c = s (||x|| / (1 + ||x||)) cos(x, w_c).

    A long feature is scored as by `CosineHead`, a short one by less: its length says how sure the
    network is. No bias.

    Paper: Liu et al., Large-Scale Long-Tailed Recognition in an Open World (OLTR), CVPR 2019,
    section 3 (CosNorm_Classifier of its code). It is their classifier alone, without visual
    memory and modulated attention. As recalled, the equation of the paper (its number unchecked)
    has ||x||^2 in both places; this is the code's form.

    Differs from the authors' code in that a feature of zeros gives zeros, theirs NaN.

    Args:
        in_features: feature width D.
        num_classes: C.
        scale: s > 0; 16 in the authors' code.

    Raises:
        UserError: if the scale is not positive.
    """

    def __init__(self, in_features: int, num_classes: int, *, scale: float = 16.0) -> None:
        super().__init__()
        if not 0 < scale < float("inf"):
            raise UserError(f"The scale of the cosine head is {scale}: give a positive number.")
        self.scale = scale
        bound = in_features**-0.5
        self.weight = nn.Parameter(torch.empty(num_classes, in_features).uniform_(-bound, bound))

    def forward(self, features: Tensor) -> Tensor:
        """Return the logits (N, C), each in (-s, s), in float32 or wider."""
        with torch.autocast(features.device.type, enabled=False):
            fine = wide(features)
            return squashed_cosine_logits(fine, self.weight.to(fine.dtype), scale=self.scale)
