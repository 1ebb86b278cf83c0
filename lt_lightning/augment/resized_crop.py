"""Random resized crop of small images, one box per image."""

import math

import torch
from torch import Tensor

from lt_lightning.augment.base import BatchTransform, check_images, check_range
from lt_lightning.augment.places import rand
from lt_lightning.errors import UserError

_TRIES = 10  # as in torchvision; then the largest box in the middle


class RandomResizedCrop(BatchTransform):
    """A box of random area and shape, resized to the size of the image.

    The area is uniform on [min_area, 1] of the image's, the logarithm of width / height uniform
    on [-log(max_ratio), log(max_ratio)], the place uniform where the box fits. Bilinear; equal,
    image by image, to torchvision's resized crop within one grey level.

    Paper: Szegedy et al., Going Deeper with Convolutions, CVPR 2015, section 6; for contrastive
    views Chen et al., SimCLR, ICML 2020, appendix A.

    Args:
        min_area: the least share of the area, above 0, at most 1; 0.2 is common on CIFAR for
            contrastive views, 0.08 on ImageNet.
        max_ratio: the largest width / height and height / width, at least 1.

    Raises:
        UserError: if a value is outside its range.
    """

    def __init__(self, min_area: float = 0.2, max_ratio: float = 4 / 3) -> None:
        if not 0 < min_area <= 1:
            raise UserError(f"min_area is {min_area}: give a share above 0, at most 1.")
        check_range("max_ratio", max_ratio, 1)
        self.min_area, self.max_ratio = min_area, max_ratio

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return the resized boxes, uint8 (N, C, H, W)."""
        check_images(images)
        n, _, height, width = images.shape
        return resized_crop(images, *self._boxes(n, height, width, generator))

    def _boxes(
        self, n: int, height: int, width: int, generator: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return first row, first column, rows and columns of one box per image, int64 (N, 1)."""
        draw = rand(4, n, _TRIES, generator=generator, axis=1)
        area = height * width * (self.min_area + (1 - self.min_area) * draw[0])
        ratio = torch.exp((2 * draw[1] - 1) * math.log(self.max_ratio))
        rows, columns = (area / ratio).sqrt().round().long(), (area * ratio).sqrt().round().long()
        fits = (rows >= 1) & (rows <= height) & (columns >= 1) & (columns <= width)
        first = fits.long().argmax(dim=1, keepdim=True)  # the first that fits
        found = fits.any(dim=1, keepdim=True)
        largest = (
            min(height, round(width * self.max_ratio)),
            min(width, round(height * self.max_ratio)),
        )
        rows = torch.where(found, rows.gather(1, first), largest[0])
        columns = torch.where(found, columns.gather(1, first), largest[1])
        places = []
        for size, length, uniform in ((height, rows, draw[2]), (width, columns, draw[3])):
            place = (uniform[:, :1] * (size - length + 1)).long()
            places.append(torch.where(found, place, (size - length) // 2))
        return places[0], places[1], rows, columns


def resized_crop(
    images: Tensor, top: Tensor, left: Tensor, rows: Tensor, columns: Tensor
) -> Tensor:
    """Cut a box out of each image and resize it bilinearly to the size of the image.

    Args:
        images: uint8 (N, C, H, W).
        top: int64 (N, 1), first row of the box.
        left: int64 (N, 1), first column.
        rows: int64 (N, 1), at least 1; the box lies inside the image.
        columns: int64 (N, 1).

    Returns:
        uint8 (N, C, H, W).
    """
    height, width = images.shape[2:]
    upper, lower, down = _neighbours(height, top, rows)
    near, far, right = _neighbours(width, left, columns)
    picked = torch.arange(len(images), device=images.device)[:, None, None]

    def at(y: Tensor, x: Tensor) -> Tensor:
        # The index puts the channels last: (N, H, W, C).
        return images[picked, :, y[:, :, None], x[:, None, :]].float()

    right, down = right[:, None, :, None], down[:, :, None, None]
    above = torch.lerp(at(upper, near), at(upper, far), right)
    below = torch.lerp(at(lower, near), at(lower, far), right)
    mixed = torch.lerp(above, below, down).round_().clamp_(0, 255)
    return mixed.to(torch.uint8).permute(0, 3, 1, 2)


def _neighbours(size: int, start: Tensor, length: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return both source pixels of each new one, int64 (N, size), and the share of the second."""
    centre = torch.arange(size, device=start.device) + 0.5
    source = (centre * (length / size) - 0.5).clamp(min=0)
    source = torch.minimum(source, length - 1.0)
    first = source.long()
    second = torch.minimum(first + 1, length - 1)
    return start + first, start + second, source - first
