"""From maps to foregrounds and their boxes."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Foreground:
    """The foregrounds of N images.

    Attributes:
        mask: bool (N, H, W).
        top: int64 (N,), the first row of the box around the mask.
        bottom: int64 (N,), its last row.
        left: int64 (N,), its first column.
        right: int64 (N,), its last column.
    """

    mask: Tensor
    top: Tensor
    bottom: Tensor
    left: Tensor
    right: Tensor

    @classmethod
    def of(cls, mask: Tensor) -> "Foreground":
        """Return `mask` with its true boxes; every image has one pixel at least."""
        rows, columns = mask.any(dim=2), mask.any(dim=1)
        return cls(mask, *_ends(rows), *_ends(columns))


def _ends(used: Tensor) -> tuple[Tensor, Tensor]:
    """Return the first and the last true place of each row of bool (N, L)."""
    number = used.to(torch.uint8)
    return number.argmax(dim=1), used.shape[1] - 1 - number.flip(1).argmax(dim=1)


def enlarge(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Return the maps (N, h, w) in the size (H, W) of the images, bilinear."""
    large = F.interpolate(maps.unsqueeze(1), size=size, mode="bilinear", align_corners=False)
    return large.squeeze(1)


def foregrounds(maps: Tensor, size: tuple[int, int], threshold: float = 0.75) -> Foreground:
    """Return where the enlarged map is at least `threshold` times its mean.

    A map of one value has the whole image for its foreground.

    Paper: Zhang et al., Bag of Tricks, AAAI 2021; the threshold is that of its code.

    Args:
        maps: float (N, h, w), from 0 to 1.
        size: (H, W) of the images.
        threshold: in multiples of the mean of the map, from 0 to 1.
    """
    large = enlarge(maps, size)
    return Foreground.of(large >= threshold * large.mean(dim=(1, 2), keepdim=True))
