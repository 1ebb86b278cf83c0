"""From a picture in its own size to the square of pixels that the model sees.

Evaluation gives the pixels of Pillow's resize and middle crop to the last bit, and decodes the
whole picture for it; of a strip, which would be resized to billions of pixels, it resizes what
the crop shows. A training crop is chosen from the size in the header, so that a JPEG need
be decoded only at the fraction of its size that the crop asks for.
"""

import math
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from lt_lightning.data.pixels import upright_size

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_SMALL = 64  # pixels; of so small pictures no rim is cut off
_EVAL_ZOOM = 8 / 7  # 256 pixels for a crop of 224, the common ImageNet protocol
WHOLE = 2**24  # pixels, to which a picture is resized as a whole: 64 MiB
_FRACTIONS = (8, 4, 2)  # of both sides, which a JPEG can be decoded at


def evaluation_side(size: int) -> int:
    """Return to what the short side of a picture is resized before the middle is cropped.

    Args:
        size: pixels a side that the model sees.
    """
    return size if size <= _SMALL else round(size * _EVAL_ZOOM)


def evaluation_view(image: "Picture", size: int) -> Tensor:
    """Return the middle of a picture, uint8 (3, size, size); a small picture whole.

    A picture so long that its short side asks for more than `WHOLE` pixels is resized only where
    the crop shows it; then the pixels are equal up to rounding to those of the whole.

    Args:
        image: red, green and blue.
        size: pixels a side.
    """
    from PIL.Image import Resampling

    if max(image.size) <= size:
        return _tensor(image.resize((size, size), Resampling.BILINEAR))
    side = evaluation_side(size)
    longer = int(side * max(image.size) / min(image.size))
    width, height = (side, longer) if image.width <= image.height else (longer, side)
    left, top = round((width - size) / 2), round((height - size) / 2)
    if width * height > WHOLE:
        columns = _reached(left, size, image.width, width)
        rows = _reached(top, size, image.height, height)
        shown = image.crop((columns[0], rows[0], columns[1], rows[1]))
        box = columns[2], rows[2], columns[3], rows[3]
        return _tensor(shown.resize((size, size), Resampling.BILINEAR, box))
    whole = image.resize((width, height), Resampling.BILINEAR)
    view = whole.crop((left, top, left + size, top + size))
    return _tensor(view)


def _reached(start: int, size: int, own: int, resized: int) -> tuple[int, int, float, float]:
    """Return the pixels of a side that a crop of its resized picture is made of.

    Args:
        start: of the crop.
        size: of the crop.
        own: pixels of the side.
        resized: pixels of the side in the resized picture.

    Returns:
        The first and the end of those that are looked at, and of the crop, from that first on:
        Pillow takes it in float32, which is coarse far out.
    """
    low, high = start * own / resized, (start + size) * own / resized
    rim = max(own / resized, 1.0) + 1  # what a pixel of the crop is a mean of, and a pixel more
    first, end = max(math.floor(low - rim), 0), min(math.ceil(high + rim), own)
    return first, end, low - first, high - first


class TrainingCrop:
    """A random resized crop: chosen while the picture is opened, cut when it is decoded.

    Random choices come from torch's global generator, and are those of torchvision.

    Args:
        size: pixels a side.
        scale: the least share of the area.
        upright: whether the picture is turned as its EXIF orientation says.
    """

    def __init__(self, size: int, scale: float, upright: bool) -> None:
        self.size, self.scale, self.upright = size, scale, upright
        self._box = (0, 0, 0, 0)  # left, top, width, height, in a picture decoded whole
        self._fraction = 1  # of the sides of the picture as it is decoded

    def choose(self, opened: "Picture") -> None:
        """Choose the box, and let a JPEG be decoded no larger than is needed for it.

        Args:
            opened: a picture whose pixels are not loaded yet.
        """
        width, height = upright_size(opened, self.upright)
        drawn = _cropper(self.scale).make_params([torch.empty(0, height, width)])
        self._box = drawn["left"], drawn["top"], drawn["width"], drawn["height"]
        least = min(self._box[2:])
        fraction = next((part for part in _FRACTIONS if least >= part * self.size), 1)
        if fraction > 1 and opened.format == "JPEG":
            whole = opened.width
            taken = opened.draft(None, (whole // fraction, opened.height // fraction))
            self._fraction = 1 if taken is None else round(whole / taken[1][2])

    def cut(self, image: "Picture") -> Tensor:
        """Return the box of the decoded picture, uint8 (3, size, size)."""
        left, columns = self._part(self._box[0], self._box[2], image.width)
        top, rows = self._part(self._box[1], self._box[3], image.height)
        box = _tensor(image.crop((left, top, left + columns, top + rows)))
        resized = torch.nn.functional.interpolate(
            box[None], (self.size, self.size), mode="bilinear", antialias=True
        )
        return resized[0]

    def _part(self, start: int, length: int, available: int) -> tuple[int, int]:
        """Return start and length of a side of the box in the picture as it was decoded."""
        fewer = min(round(length / self._fraction), available)
        return min(round(start / self._fraction), available - fewer), fewer


@cache
def _cropper(scale: float) -> Any:
    from torchvision.transforms import v2

    return v2.RandomResizedCrop(1, scale=(scale, 1.0))


def _tensor(image: "Picture") -> Tensor:
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)
