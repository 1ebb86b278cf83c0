"""CIFAR-10 and CIFAR-100 through torchvision's own classes and checksums."""

from http.client import HTTPException
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from lt_lightning.data.source import ImageSet, MemoryImages, Source
from lt_lightning.errors import UserError


class _CIFAR(Source):
    """What the two data sets share; their counts are known without the files."""

    classes: ClassVar[int]
    per_class: ClassVar[int]
    archive: ClassVar[str]

    def __init__(self, download: bool = True) -> None:
        self.download = download

    def _torchvision(self) -> Any:
        raise NotImplementedError

    def _dataset(self, root: Path, train: bool, download: bool) -> Any:
        return self._torchvision()(str(root), train=train, download=download)

    def _has_archive(self, root: Path) -> bool:
        from torchvision.datasets.utils import check_integrity

        return bool(check_integrity(root / self.archive, self._torchvision().tgz_md5))

    def train_counts(self, root: Path) -> Tensor:
        """Return the training images per class."""
        return torch.full((self.classes,), self.per_class, dtype=torch.int64)

    def prepare(self, root: Path) -> None:
        """Download the archive where it is absent, unpack and verify it."""
        try:
            # torchvision unpacks an archive that lies there only if it may download.
            may_unpack = self.download or self._has_archive(root)
            self._dataset(root, train=True, download=may_unpack)
        except (HTTPException, RuntimeError, OSError) as error:
            raise UserError(
                f"{type(self).__name__} is not in {root} and could not be fetched "
                f"({_reason(error)}): put {self.archive} into {root}, or try "
                "--config configs/data/digits.yaml, which needs no download."
            ) from error

    def load(self, root: Path) -> dict[str, ImageSet]:
        """Return the train and test split as uint8 tensors."""
        splits: dict[str, ImageSet] = {}
        for name, train in (("train", True), ("test", False)):
            try:
                data = self._dataset(root, train=train, download=False)
            except (RuntimeError, OSError) as error:
                raise UserError(
                    f"{type(self).__name__} in {root} is absent or damaged: delete the folder and "
                    f"put {self.archive} there."
                ) from error
            images = torch.from_numpy(data.data).permute(0, 3, 1, 2).contiguous()
            splits[name] = MemoryImages(torch.tensor(data.targets), images)
        return splits


def _reason(error: BaseException) -> str:
    return " ".join(str(error).split())[:80] or type(error).__name__


class CIFAR10(_CIFAR):
    """CIFAR-10: 50,000 training and 10,000 test images of 32x32 in 10 classes.

    Paper: Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.

    Args:
        download: fetch the archive where it is absent; else it must lie in `root`.
    """

    classes, per_class, archive = 10, 5000, "cifar-10-python.tar.gz"

    def _torchvision(self) -> Any:
        from torchvision.datasets import CIFAR10 as Torchvision

        return Torchvision

    def class_names(self, root: Path) -> list[str]:
        """Return CIFAR-10's names."""
        return "airplane automobile bird cat deer dog frog horse ship truck".split()


class CIFAR100(_CIFAR):
    """CIFAR-100: 50,000 training and 10,000 test images of 32x32 in 100 classes.

    Paper: Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.

    Args:
        download: fetch the archive where it is absent; else it must lie in `root`.
    """

    classes, per_class, archive = 100, 500, "cifar-100-python.tar.gz"

    def _torchvision(self) -> Any:
        from torchvision.datasets import CIFAR100 as Torchvision

        return Torchvision

    def class_names(self, root: Path) -> list[str]:
        """Return CIFAR-100's fine names, in label order."""
        return (
            "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge "
            "bus butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud "
            "cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish forest fox girl "
            "hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man "
            "maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree "
            "pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray "
            "road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel "
            "streetcar sunflower sweet_pepper table tank telephone television tiger tractor train "
            "trout tulip turtle wardrobe whale willow_tree wolf woman worm"
        ).split()
