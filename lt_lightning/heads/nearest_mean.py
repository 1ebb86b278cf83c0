"""Classification by the nearest class mean."""

from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lt_lightning.errors import UserError

Distance = Literal["euclidean", "cosine"]
Form = Literal["cl2n", "l2n", "raw"]


class NearestMeanHead(nn.Module):
    """Nearest class mean: z_c = -||x' - m_c||^2, or s cos(x', m_c).

    m_c is the mean of x' over class c and is not normalised again. "cl2n", centred and of length
    1: x' = (x - mean) / ||x - mean|| with the mean over all training images; "l2n", of length 1:
    x' = x / ||x||; "raw": x' = x.

    Paper: Kang et al., Decoupling, ICLR 2020, section 4.1 (features `cl2n`, `l2n` and `un` of its
    code).

    Differs from the authors' code in that "cosine" is a true cosine; theirs is a dot product
    divided by D.

    Args:
        features: of the training images under evaluation transforms, (N, D).
        targets: int64 (N,).
        num_classes: C; every class needs an image.
        distance: "euclidean" or "cosine".
        temperature: the logits are multiplied by it; accuracy does not depend on it.
        form: of the features: "cl2n", "l2n" or "raw".

    Raises:
        UserError: if a class has no image, shapes do not fit, a word is unknown, or the
            temperature is not above 0.
    """

    mean: Tensor
    centroids: Tensor

    def __init__(
        self,
        features: Tensor,
        targets: Tensor,
        num_classes: int,
        *,
        distance: Distance = "euclidean",
        temperature: float = 1.0,
        form: Form = "cl2n",
    ) -> None:
        super().__init__()
        for name, value, choices in (("distance", distance, Distance), ("form", form, Form)):
            if value not in get_args(choices):
                known = ", ".join(get_args(choices))
                raise UserError(f"{name} is {value!r}: choose one of {known}.")
        if not 0 < temperature < float("inf"):
            raise UserError(f"temperature is {temperature}: give a number above 0.")
        self.form = form
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
        """Take the means of these features, (N, D), and targets, int64 (N,).

        Raises:
            UserError: if a class has no image, or shapes do not fit.
        """
        counts = self._counts(features, targets)
        wide = features.float()
        if self.form == "cl2n":
            self.mean.copy_(wide.mean(dim=0))
        near = self._near(wide)
        middle = near.mean(dim=0)  # what all features share would cost digits of the sums
        sums = torch.zeros(self.centroids.shape, device=wide.device)
        sums.index_add_(0, targets, near - middle)
        self.centroids.copy_(middle + sums / counts[:, None])

    def _counts(self, features: Tensor, targets: Tensor) -> Tensor:
        classes, width = self.centroids.shape
        if features.shape != (len(targets), width):
            raise UserError(
                f"The features have the shape {tuple(features.shape)} and the targets "
                f"{tuple(targets.shape)}: give (N, {width}) and (N,)."
            )
        counts = torch.bincount(targets, minlength=classes)
        if len(counts) > classes or bool((counts == 0).any()):
            empty = (counts == 0).nonzero().flatten().tolist()
            raise UserError(
                f"The targets hold no image of the classes {empty[:10]}, or go beyond the "
                f"{classes} classes (up to {len(counts) - 1}): a nearest mean needs one image of "
                "each class at least."
            )
        return counts

    def _near(self, wide: Tensor) -> Tensor:
        """Return x', (N, D)."""
        if self.form == "raw":
            return wide
        return F.normalize(wide - self.mean if self.form == "cl2n" else wide, dim=1)

    def forward(self, features: Tensor) -> Tensor:
        """Return the logits, (N, C), in float32."""
        near = self._near(features.float())
        if self.distance == "cosine":
            unit = near if self.form != "raw" else F.normalize(near, dim=1)
            return self.temperature * unit @ F.normalize(self.centroids, dim=1).T
        # A common shift changes no distance; without it what all features share would cancel.
        shift = self.centroids.mean(dim=0)
        near, means = near - shift, self.centroids - shift
        squares = near.square().sum(1, keepdim=True) + means.square().sum(1)
        return -self.temperature * (squares - 2 * near @ means.T)
