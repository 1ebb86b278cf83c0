"""Where images come from, which of them are used, and how batches are made of them."""

from lt_lightning.data.cifar import CIFAR10, CIFAR100
from lt_lightning.data.datamodule import LongTailDataModule
from lt_lightning.data.digits import Digits
from lt_lightning.data.folder import ImageFolder
from lt_lightning.data.holdout import Holdout
from lt_lightning.data.image_list import ImageList
from lt_lightning.data.image_table import ImageTable
from lt_lightning.data.profiles import AsIs, Exponential, Profile, Step
from lt_lightning.data.source import FileImages, ImageSet, MemoryImages, Source
from lt_lightning.data.unlabelled import LeftOver, Unlabelled, UnlabelledFolder

__all__ = [
    "CIFAR10",
    "CIFAR100",
    "AsIs",
    "Digits",
    "Exponential",
    "FileImages",
    "Holdout",
    "ImageFolder",
    "ImageList",
    "ImageSet",
    "ImageTable",
    "LeftOver",
    "LongTailDataModule",
    "MemoryImages",
    "Profile",
    "Source",
    "Step",
    "Unlabelled",
    "UnlabelledFolder",
]
