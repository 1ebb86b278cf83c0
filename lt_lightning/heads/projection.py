"""From features to embeddings on the unit sphere, for contrastive losses."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lt_lightning.errors import UserError
from lt_lightning.inputs import wide


class ProjectionHead(nn.Module):
    """One hidden layer, then length 1: z = g(x) / |g(x)|, g(x) = W_2 relu(W_1 x + b_1) + b_2.

    For the contrastive branch; it is no classifier, and is not used at test.

    Paper: Chen et al., A Simple Framework for Contrastive Learning of Visual Representations, ICML
    2020, section 4.2.

    Args:
        in_features: feature width D.
        out_features: width d of the embeddings; 128 is usual.
        hidden: width of the hidden layer; none is D.
        batch_norm: normalise the hidden layer over the batch, which must then have at least two
            rows in training.

    Raises:
        UserError: if a width is below 1.
    """

    def __init__(
        self,
        in_features: int,
        *,
        out_features: int = 128,
        hidden: int | None = None,
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        width = in_features if hidden is None else hidden
        if width < 1 or out_features < 1:
            raise UserError(
                f"hidden is {width} and out_features {out_features}: give 1 or more each."
            )
        norm = nn.BatchNorm1d(width) if batch_norm else nn.Identity()
        self.layers = nn.Sequential(
            nn.Linear(in_features, width), norm, nn.ReLU(), nn.Linear(width, out_features)
        )
        self.out_features = out_features

    def forward(self, features: Tensor) -> Tensor:
        """Return the embeddings (N, d), each of length 1, in float32 or wider."""
        raw: Tensor = self.layers(features)
        with torch.autocast(raw.device.type, enabled=False):
            return F.normalize(wide(raw), dim=1)
