"""Position embeddings of a ViT for images of another size."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

_NAMES = ("pos_embed", "pos_embedding")
_MOST = 8  # tokens before those of the patches: class, distillation, registers


def fitted(saved: dict[str, Tensor], own: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return `saved` with its position embeddings interpolated to the lengths in `own`.

    Args:
        saved: tensors of a file by name.
        own: those of the network by the same names.
    """
    found = dict(saved)
    for name, value in saved.items():
        wanted = own.get(name, value).shape
        if name.rsplit(".", 1)[-1] in _NAMES and value.shape != wanted and len(wanted) == 3:
            found[name] = resample(value, wanted[1])
    return found


def resample(value: Tensor, length: int) -> Tensor:
    """Return embeddings (1, T, D) of a square of patches as (1, `length`, D), by bicubic values.

    The tokens before the patches stay. What is no square is returned as it is.
    """
    if value.ndim != 3:
        return value
    first = next((p for p in range(_MOST) if _root(value.shape[1] - p) and _root(length - p)), -1)
    if first < 0:
        return value
    tokens, patches = value[:, :first], value[:, first:]
    old, new = _root(patches.shape[1]), _root(length - first)
    square = patches.float().transpose(1, 2).reshape(1, -1, old, old)
    wide = F.interpolate(square, size=(new, new), mode="bicubic", antialias=True)
    patches = wide.flatten(2).transpose(1, 2).to(value.dtype)
    return torch.cat([tokens, patches], dim=1)


def _root(number: int) -> int:
    """Return the square root of a positive square number, else 0."""
    root = math.isqrt(max(number, 0))
    return root if root * root == number else 0
