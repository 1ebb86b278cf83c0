"""Square holes at random places of each image."""

import torch
from torch import Tensor

from lt_lightning.augment.base import BatchTransform, check_images, check_range
from lt_lightning.augment.box import box_mask
from lt_lightning.augment.places import randint
from lt_lightning.errors import UserError

CIFAR_GREY = [125, 123, 114]  # the CIFAR mean on the scale 0..255: about 0 after normalisation


class Cutout(BatchTransform):
    """Square holes of one colour, centred on random pixels of each image.

    The centre is uniform on all pixels, so a hole can reach over the border and lose a part there.

    Paper: DeVries and Taylor, Improved Regularization of Convolutional Neural Networks with Cutout,
    arXiv 2017, section 3 (length 16 for CIFAR-10, 8 for CIFAR-100; long-tail codes use 16 for
    both).

    Args:
        holes: number of holes per image, at least 0.
        length: width and height in pixels, at least 1.
        fill: colour of the holes, one number from 0 to 255 per channel; the mean of the data gives
            about 0 after normalisation.

    Raises:
        UserError: if a value is outside its range, or if `fill` does not fit the images.

    Differs from the authors' code in that the hole is cut before normalisation, so it takes the
    nearest whole grey level to the mean instead of exactly 0, and that an odd `length` is kept
    instead of losing one pixel.
    """

    def __init__(self, holes: int = 1, length: int = 16, fill: list[int] = CIFAR_GREY) -> None:
        check_range("holes", holes, 0)
        check_range("length", length, 1)
        for level in fill:
            check_range("fill", level, 0, 255)
        self.holes, self.length, self.fill = holes, length, list(fill)

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return the images with holes, uint8 (N, C, H, W)."""
        check_images(images)
        n, channels, height, width = images.shape
        if channels != len(self.fill):
            raise UserError(
                f"fill is {self.fill} but the images have {channels} channels: give one number "
                "per channel."
            )
        device = images.device
        colour = torch.tensor(self.fill, dtype=torch.uint8).to(device, non_blocking=True)
        length = torch.full((1,), self.length, device=device)
        for _ in range(self.holes):
            y = randint(height, n, generator=generator)
            x = randint(width, n, generator=generator)
            hole = box_mask((height, width), y, x, length, length)
            images = torch.where(hole, colour.view(1, -1, 1, 1), images)
        return images
