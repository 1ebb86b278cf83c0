"""Prototypical supervised contrastive loss: images against one prototype per class."""

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lt_lightning.errors import UserError
from lt_lightning.inputs import ClassCounts
from lt_lightning.losses.checks import check_choice, check_range
from lt_lightning.losses.contrastive import ContrastiveLoss

# number of classes -> temperature, as published
_PUBLISHED_TEMPERATURE = {10: 1.0, 100: 0.1}


def recommended_temperature(num_classes: int) -> float:
    """Return the temperature of the published data set most alike, by log(C).

    1 on CIFAR-10-LT and 0.1 on CIFAR-100-LT (from a secondary source).

    Args:
        num_classes: C, at least 1.

    Raises:
        UserError: if `num_classes` is below 1.

    >>> recommended_temperature(100)
    0.1
    """
    check_range("num_classes", num_classes, 1.0)
    published = _PUBLISHED_TEMPERATURE
    return published[min(published, key=lambda known: abs(math.log(known / num_classes)))]


def prototypical_contrastive_loss(
    embeddings: Tensor, targets: Tensor, prototypes: Tensor, *, temperature: float = 1.0
) -> Tensor:
    """Return -z_i . p_y / tau + log sum_{j != y} exp(z_i . p_j / tau), (M,).

    Args:
        embeddings: z, (M, d), each of length 1.
        targets: int64 (M,).
        prototypes: p, (C, d), each of length 1, C at least 2.
        temperature: tau.
    """
    similarities = embeddings @ prototypes.T / temperature
    own = targets[:, None] == torch.arange(len(prototypes), device=targets.device)
    others = similarities.masked_fill(own, -math.inf).logsumexp(dim=1)
    return others - similarities.gather(1, targets[:, None]).squeeze(1)


class PrototypicalContrastive(ContrastiveLoss):
    """Prototypical supervised contrastive loss (PSC): each image against C prototypes.

    L_i = -log(exp(z_i . p_y / tau) / sum_{j != y} exp(z_i . p_j / tau)), the mean over the batch.
    The class of the image is not in the denominator, so the loss can be negative; its least value
    is -2 / tau + log(C - 1). One view of each image is enough, and the memory does not grow with
    the square of the batch.

    Paper: Wang et al., Contrastive Learning based Hybrid Networks for Long-Tailed Image
    Classification, CVPR 2021.

    Differs from the paper in nothing known; it says that each class has a normalised prototype
    that is learned, not how. No code of the authors was found.

    Args:
        class_counts: training images per class, (C,), at least 2 classes.
        embedding_dim: width d of the embeddings.
        temperature: tau, above 0; none is `recommended_temperature`: 1 with 10 classes, 0.1 with
            100.
        prototypes: "learned" are parameters, kept on the unit sphere by dividing by their length;
            "moving" are moving means of the embeddings of each class, without gradient.
        momentum: of the moving means, in [0, 1): what stays of a prototype in a step that has
            images of its class. Only read with "moving"; the default is ours.
        reduction: see `ContrastiveLoss`.

    Raises:
        UserError: if an argument is out of range.
    """

    seen: Tensor
    prototypes: Tensor

    def __init__(
        self,
        class_counts: ClassCounts,
        embedding_dim: int,
        *,
        temperature: float | None = None,
        prototypes: Literal["learned", "moving"] = "learned",
        momentum: float = 0.9,
        reduction: Literal["mean", "none"] = "mean",
    ) -> None:
        check_choice("prototypes", prototypes, ("learned", "moving"))
        tau = recommended_temperature(len(class_counts)) if temperature is None else temperature
        super().__init__(class_counts, embedding_dim, tau, reduction=reduction)
        if self.num_classes < 2:
            raise UserError("There is 1 class: give 2 or more, for a prototype needs rivals.")
        self.momentum = check_range("momentum", momentum, 0.0, 1.0, open_high=True)
        start = F.normalize(torch.randn(self.num_classes, embedding_dim), dim=1)
        self.moving = prototypes == "moving"
        if self.moving:
            self.register_buffer("prototypes", start)
            self.register_buffer("seen", torch.zeros(self.num_classes, dtype=torch.bool))
        else:
            self.prototypes = nn.Parameter(start)

    def directions(self) -> Tensor:
        """Return the prototypes on the unit sphere, (C, d)."""
        return F.normalize(self.prototypes, dim=1)

    def per_anchor(self, embeddings: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss of each image, (M,), and that each has a positive."""
        prototypes = self.directions().to(embeddings.dtype)
        values = prototypical_contrastive_loss(
            embeddings, targets, prototypes, temperature=self.temperature
        )
        if self.moving and self.training:
            self._move(embeddings.detach(), targets)
        return values, torch.ones_like(targets, dtype=torch.bool)

    @torch.no_grad()
    def _move(self, embeddings: Tensor, targets: Tensor) -> None:
        """Move the prototypes of the classes in the batch; a first image sets its prototype."""
        z = embeddings.to(self.prototypes.dtype)
        own = F.one_hot(targets, self.num_classes).to(z.dtype)
        count = own.sum(dim=0)
        mean = own.T @ z / count.clamp(min=1)[:, None]
        keep = torch.where(self.seen, self.momentum, 0.0).to(z.dtype)[:, None]
        moved = F.normalize(keep * self.prototypes + (1 - keep) * mean, dim=1)
        self.prototypes.copy_(torch.where(count[:, None] > 0, moved, self.prototypes))
        self.seen |= count > 0
