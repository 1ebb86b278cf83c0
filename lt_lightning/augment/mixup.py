"""Convex mix of pairs of images."""

import torch
from torch import Tensor

from lt_lightning.augment.base import check_positive
from lt_lightning.augment.mixing import (
    Mixed,
    Mixing,
    Share,
    blend,
    check_pairs,
    partners_of,
    share_of,
)
from lt_lightning.inputs import ClassCounts


class Mixup(Mixing):
    """Input mixup: images and labels of random pairs are mixed with the same weight.

    x = lam x_i + (1 - lam) x_j, label weight lam for y_i and 1 - lam for y_j, with
    lam ~ Beta(alpha, alpha) and j a random permutation of the batch.

    Paper: Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018, section 1.

    Args:
        alpha: of the Beta distribution, above 0; 1 on CIFAR-LT, 0.2 on larger data sets.
        per_sample: draw one lam per image instead of one per batch.

    Raises:
        UserError: if `alpha` is not above 0.
    """

    def __init__(self, alpha: float = 1.0, per_sample: bool = False) -> None:
        check_positive("alpha", alpha)
        self.alpha, self.per_sample = alpha, per_sample

    def __call__(
        self,
        images: Tensor,
        targets: Tensor,
        class_counts: ClassCounts | None = None,
        generator: torch.Generator | None = None,
        *,
        share: Share | None = None,
        permutation: Tensor | None = None,
    ) -> Mixed:
        """Return the mixed batch; `class_counts` has no effect."""
        check_pairs(images, targets)
        n = len(images)
        lam = share_of(
            share, images, generator, alpha=self.alpha, count=n if self.per_sample else 1
        )
        partner = partners_of(images, generator, permutation)
        mixed = blend(images, images[partner], lam)
        return Mixed(mixed, targets, targets[partner], lam.expand(n))
