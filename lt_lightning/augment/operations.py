"""The operations of AutoAugment and RandAugment with torchvision's magnitudes."""

from collections.abc import Sequence
from functools import cache, partial

import torch
from torch import Tensor

from lt_lightning.augment import ops_color, ops_geometry
from lt_lightning.augment.base import Op, apply_per_group

# In the order of RandAugment's draw; AutoAugment uses them by name.
_SIGNED = (
    "ShearX",
    "ShearY",
    "TranslateX",
    "TranslateY",
    "Rotate",
    "Brightness",
    "Color",
    "Contrast",
    "Sharpness",
)
NAMES = ("Identity", *_SIGNED, "Posterize", "Solarize", "AutoContrast", "Equalize", "Invert")
INDEX = {name: index for index, name in enumerate(NAMES)}


@cache
def magnitudes(height: int, width: int, bins: int) -> Tensor:
    """Return the magnitude of each operation at each level, float32 (len(NAMES), bins)."""
    high = {
        "ShearX": 0.3,
        "ShearY": 0.3,
        "TranslateX": 150 / 331 * width,
        "TranslateY": 150 / 331 * height,
        "Rotate": 30.0,
    }
    table = torch.zeros(len(NAMES), bins)
    for name in _SIGNED:
        table[INDEX[name]] = torch.linspace(0, high.get(name, 0.9), bins)
    table[INDEX["Posterize"]] = 8 - (torch.arange(bins) / ((bins - 1) / 4)).round()
    table[INDEX["Solarize"]] = torch.linspace(1, 0, bins) * 255
    return table


def _around_one(op: Op) -> Op:
    return lambda images, magnitude: op(images, 1 + magnitude)


def _operations(fill: int) -> Sequence[Op | None]:
    geometry = ops_geometry
    return (
        None,
        partial(geometry.shear_x, fill=fill),
        partial(geometry.shear_y, fill=fill),
        partial(geometry.translate_x, fill=fill),
        partial(geometry.translate_y, fill=fill),
        partial(geometry.rotate, fill=fill),
        _around_one(ops_color.adjust_brightness),
        _around_one(ops_color.adjust_saturation),
        _around_one(ops_color.adjust_contrast),
        _around_one(ops_color.adjust_sharpness),
        ops_color.posterize,
        ops_color.solarize,
        ops_color.autocontrast,
        ops_color.equalize,
        ops_color.invert,
    )


def apply_operations(
    images: Tensor, choice: Tensor, level: Tensor, negative: Tensor, *, bins: int, fill: int
) -> Tensor:
    """Apply to each image the operation it drew.

    Args:
        images: uint8 (N, C, H, W).
        choice: int64 (N,), indices into `NAMES`.
        level: int64 (N,), from 0 to bins - 1.
        negative: bool (N,); turns the sign of shear, translation, rotation, and of the distance
            from 1 of the colour factors; the other operations have no sign.
        bins: number of levels.
        fill: grey level of what a geometric operation brings in.

    Returns:
        uint8 (N, C, H, W).
    """
    table = magnitudes(images.shape[2], images.shape[3], bins)
    magnitude = table.to(images.device, non_blocking=True)[choice, level]
    signed = (choice > 0) & (choice <= len(_SIGNED))
    magnitude = torch.where(negative & signed, -magnitude, magnitude)
    return apply_per_group(images, choice, _operations(fill), magnitude)
