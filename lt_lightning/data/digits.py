"""The digits that come inside scikit-learn: real scans, no download."""

from functools import cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from lt_lightning.data.source import ImageSet, MemoryImages, Source
from lt_lightning.errors import UserError


@cache
def _scans() -> tuple[Tensor, Tensor]:
    """Return float32 (1797, 1, 8, 8) on the scale 0..255 and int64 (1797,), read once."""
    from sklearn.datasets import load_digits

    data = load_digits()
    grey = torch.from_numpy(data.images).float().unsqueeze(1) * (255.0 / 16.0)
    return grey, torch.from_numpy(data.target).to(torch.int64)


class Digits(Source):
    """1,797 handwritten digits of 8x8, shown as 32x32 RGB; inside scikit-learn, no download.

    The split is fixed and stratified: of every class, in file order, each third image is a test
    image (596 in all) and the others are training images.

    Paper: Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI 1998.

    Args:
        size: width and height in pixels after bilinear enlargement, at least 8.

    Raises:
        UserError: if the size is below 8.
    """

    def __init__(self, size: int = 32) -> None:
        if size < 8:
            raise UserError(f"The size of the digits is {size}: give 8 pixels or more.")
        self.size = size

    def class_names(self, root: Path) -> list[str]:
        """Return "0" to "9"."""
        return [str(d) for d in range(10)]

    def train_counts(self, root: Path) -> Tensor:
        """Return the training images per class."""
        return torch.bincount(self.load(root)["train"].labels, minlength=10)

    def load(self, root: Path) -> dict[str, ImageSet]:
        """Return the train and test split."""
        scans, labels = _scans()
        large = F.interpolate(scans, size=self.size, mode="bilinear", align_corners=False)
        images = large.round().clamp(0, 255).to(torch.uint8).expand(-1, 3, -1, -1).contiguous()
        place = torch.empty_like(labels)
        for c in range(10):
            members = (labels == c).nonzero().flatten()
            place[members] = torch.arange(len(members))
        test = place % 3 == 2
        return {
            "train": MemoryImages(labels[~test], images[~test]),
            "test": MemoryImages(labels[test], images[test]),
        }
