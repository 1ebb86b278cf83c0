"""Shear, translation and rotation of uint8 batches, each with one magnitude per image.

Nearest interpolation, as torchvision's AutoAugment does by default: output pixel (x, y) is input
pixel round(A (x, y) + b), and `fill` where that lies outside. A pixel that maps to the middle
between two input pixels may fall on the other side than in torchvision (float rounding).
"""

import torch
from torch import Tensor


def _warp(images: Tensor, matrix: Tensor, fill: int) -> Tensor:
    """Return images[round(matrix (x, y, 1))], coordinates in pixels from the image's centre.

    Args:
        images: uint8 (N, C, H, W).
        matrix: float32 (N, 2, 3), from output to input coordinates.
        fill: the grey level of what comes from outside, 0 to 255.
    """
    n, channels, height, width = images.shape
    device = images.device
    size = torch.tensor([width, height]).to(device, non_blocking=True)
    half = size.view(1, 2, 1) / 2
    xs = torch.arange(width, device=device) - (width - 1) / 2
    ys = torch.arange(height, device=device) - (height - 1) / 2
    grid = torch.stack(
        (xs.repeat(height), ys.repeat_interleave(width), torch.ones(height * width, device=device))
    )
    # Scaled to -1..1 and back, like torchvision, so that ties round to the same side.
    unit = torch.matmul(matrix / half, grid)  # (N, 2, H * W)
    source = (((unit + 1) * (2 * half) - 1) / 2).round_().long()
    x, y = source.unbind(1)
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    where = torch.where(inside, y * width + x, 0)
    picked = images.flatten(2).gather(2, where.unsqueeze(1).expand(-1, channels, -1))
    return torch.where(inside.unsqueeze(1), picked, fill).view(n, channels, height, width)


def _matrix(like: Tensor, *entries: Tensor | float) -> Tensor:
    """Return float32 (N, 2, 3) from six entries, each (N,) or one number."""
    rows = [torch.zeros_like(like) + entry for entry in entries]
    return torch.stack(rows, 1).view(-1, 2, 3)


def shear_x(images: Tensor, level: Tensor, fill: int = 0) -> Tensor:
    """Take row y from `level` (N,) * y pixels further right; the top edge stays."""
    offset = level * (images.shape[2] / 2)
    return _warp(images, _matrix(level, 1.0, level, offset, 0.0, 1.0, 0.0), fill)


def shear_y(images: Tensor, level: Tensor, fill: int = 0) -> Tensor:
    """Take column x from `level` (N,) * x pixels further down; the left edge stays."""
    offset = level * (images.shape[3] / 2)
    return _warp(images, _matrix(level, 1.0, 0.0, 0.0, level, 1.0, offset), fill)


def translate_x(images: Tensor, pixels: Tensor, fill: int = 0) -> Tensor:
    """Move the picture right by `pixels` (N,), cut to whole pixels."""
    return _warp(images, _matrix(pixels, 1.0, 0.0, -pixels.trunc(), 0.0, 1.0, 0.0), fill)


def translate_y(images: Tensor, pixels: Tensor, fill: int = 0) -> Tensor:
    """Move the picture down by `pixels` (N,), cut to whole pixels."""
    return _warp(images, _matrix(pixels, 1.0, 0.0, 0.0, 0.0, 1.0, -pixels.trunc()), fill)


def rotate(images: Tensor, degrees: Tensor, fill: int = 0) -> Tensor:
    """Turn the picture about its centre, counter-clockwise, by `degrees` (N,)."""
    angle = torch.deg2rad(degrees)
    cos, sin = angle.cos(), angle.sin()
    return _warp(images, _matrix(degrees, cos, -sin, 0.0, sin, cos, 0.0), fill)
