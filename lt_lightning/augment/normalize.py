"""From uint8 pixels to standardised floats."""

from typing import Literal

import torch
from torch import Tensor

from lt_lightning.augment.base import Described, check_images
from lt_lightning.errors import UserError

CIFAR_MEAN = [0.4914, 0.4822, 0.4465]
# Not the standard deviation of the pixels (0.247, 0.243, 0.262), but what the field uses.
CIFAR_STD = [0.2023, 0.1994, 0.2010]
IMAGENET_MEAN = [0.485, 0.456, 0.406]
IMAGENET_STD = [0.229, 0.224, 0.225]


class Normalize(Described):
    """Per channel (x / 255 - mean) / std, from uint8 to float32.

    The defaults are the CIFAR-10 constants that long-tail papers use for CIFAR-10 and CIFAR-100.

    Args:
        mean: one number per channel, on the scale 0..1.
        std: one positive number per channel, on the scale 0..1.
        memory_format: memory layout of the result; "channels_last" suits convolutions on a GPU.

    Raises:
        UserError: if the lengths differ or a `std` is not positive.
    """

    def __init__(
        self,
        mean: list[float] = CIFAR_MEAN,
        std: list[float] = CIFAR_STD,
        memory_format: Literal["contiguous", "channels_last"] = "contiguous",
    ) -> None:
        if len(mean) != len(std) or not mean:
            raise UserError(
                f"mean has {len(mean)} numbers and std has {len(std)}: give one per channel each."
            )
        if not all(s > 0 for s in std):
            raise UserError(f"std is {std}: give numbers above 0.")
        if memory_format not in ("contiguous", "channels_last"):
            raise UserError(f"memory_format is {memory_format}: use contiguous or channels_last.")
        self.mean, self.std, self.memory_format = list(mean), list(std), memory_format

    def __call__(self, images: Tensor) -> Tensor:
        """Return float32 (N, C, H, W) from uint8 (N, C, H, W).

        Raises:
            UserError: if the images are not uint8 or have another number of channels.
        """
        check_images(images)
        if images.shape[1] != len(self.mean):
            raise UserError(
                f"The images have {images.shape[1]} channels but mean has {len(self.mean)} "
                "numbers: give one per channel."
            )
        layout = (
            torch.channels_last
            if self.memory_format == "channels_last"
            else torch.contiguous_format
        )
        # non_blocking: a blocking copy would make the host wait for all earlier work of a GPU.
        constants = torch.tensor([self.mean, self.std]).to(images.device, non_blocking=True)
        mean, std = constants.view(2, 1, -1, 1, 1)
        scaled = images.to(torch.float32, memory_format=layout).div_(255)
        return scaled.sub_(mean).div_(std)
