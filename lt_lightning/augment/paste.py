"""A box of one picture pasted into another, as CutMix and CMO do."""

import torch
from torch import Tensor

from lt_lightning.augment.base import check_positive, check_range
from lt_lightning.augment.box import box_mask
from lt_lightning.augment.mixing import Mixed, Share, check_pairs, draw_beta, given_share
from lt_lightning.errors import UserError


def paste(
    background: tuple[Tensor, Tensor],
    foreground: tuple[Tensor, Tensor],
    generator: torch.Generator | None = None,
    *,
    alpha: float = 1.0,
    probability: float = 0.5,
    share: Share | None = None,
) -> Mixed:
    """Paste a box of each foreground image onto the background image of the same place (CMO).

    One box per batch: centre uniform, sides sqrt(1 - lam) of the image's, lam ~ Beta(alpha, alpha).
    The box is cut at the border; the weight of the background label is the share of its pixels that
    are left.

    Paper: Park et al., The Majority Can Help the Minority: Context-rich Minority Oversampling for
    Long-tailed Classification (CMO), CVPR 2022, Eq. 1: foregrounds come from a sampler with weights
    1 / n_c per image, backgrounds from the data as it is.

    Args:
        background: images (N, C, H, W), float or uint8, and targets int64 (N,).
        foreground: the same, of at least N images; the first N are used.
        generator: lives on the device of the images; none is torch's own.
        alpha: of the Beta distribution, above 0.
        probability: with which a batch is pasted at all; else the background is returned.
        share: lam, one number in [0, 1], with which the batch is pasted in any case; none draws
            it.

    Returns:
        The mix: `targets_a` of the background, `targets_b` of the foreground.

    Raises:
        UserError: if a value is outside its range or the images do not fit.

    Differs from the authors' code in that every random number comes from `generator` and that a
    box of odd width keeps its last column. The number of the equation is recalled, unchecked.
    """
    check_positive("alpha", alpha)
    check_range("probability", probability, 0, 1)
    (images, targets), (patches, patch_targets) = background, foreground
    check_pairs(images, targets)
    check_pairs(patches, patch_targets)
    if images.ndim != 4:
        raise UserError(
            f"The images have the shape {tuple(images.shape)}: give (N, C, H, W), for a box of "
            "them is pasted."
        )
    n, (height, width) = len(images), images.shape[2:]
    if len(patches) < n or patches.shape[1:] != images.shape[1:]:
        raise UserError(
            f"The foreground has the shape {tuple(patches.shape)} and the background "
            f"{tuple(images.shape)}: give images of one size and at least as many foregrounds."
        )
    device = generator.device if generator is not None else images.device
    if share is None:
        box = _draw_box((height, width), draw_beta(alpha, 1, generator, device), generator)
        used = torch.rand(1, generator=generator, device=device) < probability
        box = box & used
    else:
        box = _draw_box((height, width), _one(given_share(share, images)), generator)
    left = 1 - box.float().mean()
    pasted = torch.where(box, patches[:n], images)
    return Mixed(pasted, targets, patch_targets[:n], left.expand(n))


def _one(share: Tensor) -> Tensor:
    if len(share) > 1:
        raise UserError(
            f"share has {len(share)} numbers: give one, for there is one box per batch."
        )
    return share


def _draw_box(size: tuple[int, int], lam: Tensor, generator: torch.Generator | None) -> Tensor:
    """Return bool (1, 1, H, W): a box whose share of the area is 1 - lam before the cut."""
    device, side = lam.device, (1 - lam).sqrt()
    y = torch.randint(size[0], (1,), generator=generator, device=device)
    x = torch.randint(size[1], (1,), generator=generator, device=device)
    return box_mask(size, y, x, (side * size[0]).long(), (side * size[1]).long())
