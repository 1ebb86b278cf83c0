"""RandAugment on a batch, with its own operations for each image."""

import torch
from torch import Tensor

from lt_lightning.augment.base import BatchTransform, check_colours, check_range
from lt_lightning.augment.operations import INDEX, apply_operations
from lt_lightning.augment.places import rand, randint

_CHOICES = INDEX["Invert"]  # the 14 operations before Invert, which RandAugment does not have


class RandAugment(BatchTransform):
    """RandAugment: per image `num_ops` operations in a row, all of one magnitude.

    Each image draws each of its operations uniformly from 14 (the identity among them) and, where
    the magnitude has a sign, the sign. The magnitudes are torchvision's.

    Paper: Cubuk et al., RandAugment: Practical Automated Data Augmentation with a Reduced Search
    Space, NeurIPS 2020 (CVPR workshops 2020), section 3.

    Args:
        num_ops: operations per image, at least 0.
        magnitude: level of all operations, from 0 to num_magnitude_bins - 1.
        num_magnitude_bins: number of levels, at least 2.
        fill: grey level, 0 to 255, of what shear, translation and rotation bring in.

    Raises:
        UserError: if a value is outside its range.
    """

    def __init__(
        self, num_ops: int = 2, magnitude: int = 9, num_magnitude_bins: int = 31, fill: int = 0
    ) -> None:
        check_range("num_ops", num_ops, 0)
        check_range("num_magnitude_bins", num_magnitude_bins, 2)
        check_range("magnitude", magnitude, 0, num_magnitude_bins - 1)
        check_range("fill", fill, 0, 255)
        self.num_ops, self.magnitude = num_ops, magnitude
        self.num_magnitude_bins, self.fill = num_magnitude_bins, fill

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return augmented images, uint8 (N, C, H, W)."""
        check_colours(images)
        n = len(images)
        for _ in range(self.num_ops):
            choice = randint(_CHOICES, n, generator=generator)
            negative = rand(n, generator=generator) < 0.5
            level = torch.full_like(choice, self.magnitude)
            images = apply_operations(
                images, choice, level, negative, bins=self.num_magnitude_bins, fill=self.fill
            )
        return images
