"""A box of each image replaced by that of another image of the batch."""

import torch
from torch import Tensor

from lt_lightning.augment.base import check_positive, check_range
from lt_lightning.augment.mixing import Mixed, Mixing, Share, check_pairs, partners_of
from lt_lightning.augment.paste import paste
from lt_lightning.inputs import ClassCounts


class CutMix(Mixing):
    """CutMix: a box of each image comes from a random partner, labels by share of the pixels.

    The box has sides sqrt(1 - lam) of the image's with lam ~ Beta(alpha, alpha), a uniform centre,
    and is cut at the border; the weight of the first label is the share of its pixels that are
    left. One box and one permutation per batch.

    Paper: Yun et al., CutMix: Regularization Strategy to Train Strong Classifiers with Localizable
    Features, ICCV 2019, Eq. 1 and 2.

    Args:
        alpha: of the Beta distribution, above 0.
        probability: with which a batch is mixed at all, from 0 to 1; the paper has 1 on ImageNet
            and 0.5 on CIFAR (recalled, unchecked).

    Raises:
        UserError: if a value is outside its range.

    Differs from the authors' code in that a box of odd width keeps its last column.
    """

    def __init__(self, alpha: float = 1.0, probability: float = 1.0) -> None:
        check_positive("alpha", alpha)
        check_range("probability", probability, 0, 1)
        self.alpha, self.probability = alpha, probability

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
        partner = partners_of(images, generator, permutation)
        return paste(
            (images, targets),
            (images[partner], targets[partner]),
            generator,
            alpha=self.alpha,
            probability=self.probability,
            share=share,
        )
