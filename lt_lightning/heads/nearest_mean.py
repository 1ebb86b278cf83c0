"""Classification by the nearest class mean."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Distance = Literal["euclidean", "cosine"]


class NearestMeanHead(nn.Module):
    """Nearest class mean: z_c = -||x' - m_c||^2, or s cos(x', m_c).

    x' = (x - mean) / ||x - mean|| with the mean over all training images; m_c is the mean of x'
    over class c and is not normalised again.

    Paper: Kang et al., Decoupling, ICLR 2020, section 4.1 (features `cl2n` of its code).

    Differs from the authors' code in that "cosine" is a true cosine; theirs is a dot product
    divided by D.

    Args:
        features: of the training images under evaluation transforms, (N, D).
        targets: int64 (N,).
        num_classes: C; every class needs an image.
        distance: "euclidean" or "cosine".
        temperature: the logits are multiplied by it; accuracy does not depend on it.
    """

    def __init__(
        self,
        features: Tensor,
        targets: Tensor,
        num_classes: int,
        *,
        distance: Distance = "euclidean",
        temperature: float = 1.0,
    ) -> None:
        super().__init__()
        self.distance, self.temperature = distance, temperature
        self.scale: float | None = None
        width = features.shape[1]
        self.register_buffer("mean", torch.zeros(width, device=features.device))
        self.register_buffer("centroids", torch.zeros(num_classes, width, device=features.device))
        if len(features):
            self.fit(features, targets)

    @classmethod
    def unfitted(cls, in_features: int, num_classes: int) -> "NearestMeanHead":
        """Return a head to which all classes are equally near until `fit` is called."""
        nothing = torch.zeros(0, in_features)
        return cls(nothing, torch.zeros(0, dtype=torch.int64), num_classes, temperature=10.0)

    def fit(self, features: Tensor, targets: Tensor) -> None:
        """Take the means of these features, (N, D), and targets, int64 (N,)."""
        mean: Tensor = self.mean  # type: ignore[assignment]
        centroids: Tensor = self.centroids  # type: ignore[assignment]
        wide = features.float()
        center = wide.mean(dim=0)
        near = F.normalize(wide - center, dim=1)
        sums = torch.zeros(centroids.shape, device=wide.device)
        sums.index_add_(0, targets, near)
        counts = torch.bincount(targets, minlength=len(centroids)).clamp_min(1)
        mean.copy_(center)
        centroids.copy_(sums / counts[:, None])

    def forward(self, features: Tensor) -> Tensor:
        """Return the logits, (N, C), in float32."""
        mean: Tensor = self.mean  # type: ignore[assignment]
        centroids: Tensor = self.centroids  # type: ignore[assignment]
        near = F.normalize(features.float() - mean, dim=1)
        if self.distance == "cosine":
            return self.temperature * near @ F.normalize(centroids, dim=1).T
        squares = near.square().sum(1, keepdim=True) + centroids.square().sum(1)
        return -self.temperature * (squares - 2 * near @ centroids.T)
