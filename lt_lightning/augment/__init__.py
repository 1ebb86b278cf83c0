"""What happens to a batch of images on its device."""

from lt_lightning.augment.base import BatchTransform, Compose
from lt_lightning.augment.crop_flip import RandomCropFlip
from lt_lightning.augment.normalize import (
    CIFAR_MEAN,
    CIFAR_STD,
    IMAGENET_MEAN,
    IMAGENET_STD,
    Normalize,
)

__all__ = [
    "CIFAR_MEAN",
    "CIFAR_STD",
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "BatchTransform",
    "Compose",
    "Normalize",
    "RandomCropFlip",
]
