"""Mixup whose label leans to the rarer class of the pair."""

import torch
from torch import Tensor

from lt_lightning.augment.base import check_positive, check_range
from lt_lightning.augment.mixing import (
    Mixed,
    Mixing,
    Share,
    blend,
    check_pairs,
    partners_of,
    share_of,
)
from lt_lightning.errors import UserError
from lt_lightning.inputs import ClassCounts, check_class_counts


class Remix(Mixing):
    """Rebalanced mixup: the label of a very uneven pair goes to the rarer class.

    Images are mixed as in mixup with lam. The weight of the first label is, with n the class
    counts of the pair (i, j):
    0 if n_i / n_j >= kappa and lam < tau; 1 if n_i / n_j <= 1 / kappa and 1 - lam < tau; else lam.

    Paper: Chou et al., Remix: Rebalanced Mixup, ECCV workshops 2020, Eq. 8.

    Args:
        alpha: of the Beta distribution, above 0.
        kappa: from which ratio of the counts on a pair is uneven, at least 1.
        tau: up to which weight the frequent class may lose its label, from 0 to 1.

    Raises:
        UserError: if a value is outside its range.

    Differs from the authors' code in nothing that is known: it was not read, and the number of the
    equation is recalled, unchecked. It differs from BagofTricks-LT in that each image has its own
    label weight; there the weights multiply the mean losses of the batch, so that every image gets
    the mean weight.
    """

    keeps_shares = False

    def __init__(self, alpha: float = 1.0, kappa: float = 3.0, tau: float = 0.5) -> None:
        check_positive("alpha", alpha)
        check_range("kappa", kappa, 1)
        check_range("tau", tau, 0, 1)
        self.alpha, self.kappa, self.tau = alpha, kappa, tau

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
        """Return the mixed batch, with one label weight per image."""
        check_pairs(images, targets)
        n = len(images)
        if class_counts is None:
            raise UserError("Remix leans to the rarer class of a pair: give it class_counts.")
        lam = share_of(share, images, generator, alpha=self.alpha)
        partner = partners_of(images, generator, permutation)
        mixed = blend(images, images[partner], lam)
        counts = on_device(class_counts, images.device)
        _check_known(targets, len(counts))
        first, second = counts[targets], counts[targets[partner]]
        label_share = remix_share(lam.expand(n), first, second, kappa=self.kappa, tau=self.tau)
        return Mixed(mixed, targets, targets[partner], label_share)


def _check_known(targets: Tensor, classes: int) -> None:
    if targets.is_cuda or not len(targets):  # a look at labels would wait for the device
        return
    low, high = int(targets.min()), int(targets.max())
    if low < 0 or high >= classes:
        raise UserError(
            f"The targets go from {low} to {high} but class_counts has {classes} classes: give one "
            "count per class, and labels from 0 on."
        )


def on_device(class_counts: ClassCounts, device: torch.device) -> Tensor:
    """Return the counts on `device`; those that are there already are taken as they are."""
    if isinstance(class_counts, Tensor) and class_counts.device == device:
        return class_counts  # in every step: no wait for the device
    return check_class_counts(class_counts).to(device)


def remix_share(
    lam: Tensor, first_count: Tensor, second_count: Tensor, *, kappa: float = 3.0, tau: float = 0.5
) -> Tensor:
    """Return the weight of the first label, float32 (N,).

    Args:
        lam: float32 (N,), weight of the first image.
        first_count: (N,), training images of the first image's class.
        second_count: (N,), training images of the second image's class.
        kappa: ratio from which on a pair is uneven.
        tau: weight below which an image loses its label.
    """
    # Products instead of ratios: exact in the border case n_i = kappa n_j.
    to_second = (first_count >= kappa * second_count) & (lam < tau)
    to_first = (kappa * first_count <= second_count) & (1 - lam < tau)
    return torch.where(to_second, 0.0, torch.where(to_first, 1.0, lam))
