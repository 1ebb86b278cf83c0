"""What happens to a batch of images on its device: augmentation, normalisation, mixing."""

from lt_lightning.augment.auto_augment import AutoAugment
from lt_lightning.augment.base import BatchTransform, Compose
from lt_lightning.augment.color_jitter import ColorJitter
from lt_lightning.augment.crop_flip import RandomCropFlip
from lt_lightning.augment.cut_mix import CutMix
from lt_lightning.augment.cutout import Cutout
from lt_lightning.augment.grayscale import RandomGrayscale
from lt_lightning.augment.manifold_mixup import ManifoldMixup, MixedInside, mix_at
from lt_lightning.augment.mixing import Mixed, Mixing
from lt_lightning.augment.mixup import Mixup
from lt_lightning.augment.normalize import (
    CIFAR_MEAN,
    CIFAR_STD,
    IMAGENET_MEAN,
    IMAGENET_STD,
    Normalize,
)
from lt_lightning.augment.paste import paste
from lt_lightning.augment.places import placed_generator, rand, randint
from lt_lightning.augment.rand_augment import RandAugment
from lt_lightning.augment.remix import Remix
from lt_lightning.augment.resized_crop import RandomResizedCrop

__all__ = [
    "CIFAR_MEAN",
    "CIFAR_STD",
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "AutoAugment",
    "BatchTransform",
    "ColorJitter",
    "Compose",
    "CutMix",
    "Cutout",
    "ManifoldMixup",
    "Mixed",
    "MixedInside",
    "Mixing",
    "Mixup",
    "Normalize",
    "RandAugment",
    "RandomCropFlip",
    "RandomGrayscale",
    "RandomResizedCrop",
    "Remix",
    "mix_at",
    "paste",
    "placed_generator",
    "rand",
    "randint",
]
