"""Random crop of the old size and horizontal flip, on a GPU by one gather."""

import torch
from torch import Tensor
from torch.nn import functional as F

from lt_lightning.augment.base import BatchTransform, check_images, check_range
from lt_lightning.augment.places import rand, randint


class RandomCropFlip(BatchTransform):
    """Zero padding, a random crop of the old size, and a random horizontal flip.

    Out[y, x] = padded[y + dy, x + dx], mirrored in x with probability `flip`; dy and dx are
    uniform on 0..2 * padding. Equal, image by image, to torchvision's pad, crop and hflip.

    Paper: He et al., Deep Residual Learning for Image Recognition, CVPR 2016, section 4.2 (padding
    4 and flip on CIFAR).

    Args:
        padding: black pixels on each side; 0 turns the crop off.
        flip: probability of the flip, in [0, 1].

    Raises:
        UserError: if `padding` is negative or `flip` is no probability.
    """

    def __init__(self, padding: int = 4, flip: float = 0.5) -> None:
        check_range("padding", padding, 0)
        check_range("flip", flip, 0, 1)
        self.padding, self.flip = padding, flip

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return shifted and flipped images, uint8 (N, C, H, W)."""
        check_images(images)
        n, span = len(images), 2 * self.padding + 1
        dy = randint(span, n, 1, generator=generator)
        dx = randint(span, n, 1, generator=generator)
        mirrored = rand(n, 1, generator=generator) < self.flip
        return crop_flip(images, dy, dx, mirrored, padding=self.padding)


def crop_flip(images: Tensor, dy: Tensor, dx: Tensor, mirrored: Tensor, *, padding: int) -> Tensor:
    """Pad, crop and flip with given choices per image.

    Args:
        images: (N, C, H, W).
        dy: int64 (N, 1), first row of the crop in the padded image.
        dx: int64 (N, 1), first column of the crop in the padded image.
        mirrored: bool (N, 1).
        padding: black pixels on each side.

    Returns:
        (N, C, H, W).
    """
    n, _, height, width = images.shape
    device = images.device
    padded = F.pad(images, (padding,) * 4) if padding else images
    if device.type == "cpu" and n:  # rows are copied faster, image by image, than pixels gathered
        choices = zip(padded, dy.tolist(), dx.tolist(), mirrored.tolist(), strict=True)
        cropped = (
            (image[:, y : y + height, x : x + width], turned)
            for image, (y,), (x,), (turned,) in choices
        )
        return torch.stack([image.flip(2) if turned else image for image, turned in cropped])
    rows = torch.arange(height, device=device) + dy  # (N, H)
    columns = torch.arange(width, device=device) + dx  # (N, W)
    columns = torch.where(mirrored, columns.flip(1), columns)
    picked = torch.arange(n, device=device)[:, None, None]
    # The index puts the channels last: (N, H, W, C).
    return padded[picked, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
