"""How a foreground is moved, and pasted back on the picture it comes from."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from lt_lightning.cam.foreground import Foreground

TURN, SHIFT, FLIP = 0, 1, 2
NAMES = ("turn", "shift", "flip")


@dataclass(frozen=True)
class Moves:
    """One move for each of M foregrounds.

    Attributes:
        kind: int64 (M,): TURN rotates and scales about the middle of the box, SHIFT puts the box
            anywhere inside the picture (a box as large as the picture stays), FLIP mirrors the
            picture left to right.
        degrees: float32 (M,), counter-clockwise.
        scale: float32 (M,).
        across: float64 (M,) in [0, 1): where a shifted box is, from the left end to the right one.
        down: float64 (M,) in [0, 1): the same from top to bottom.
    """

    kind: Tensor
    degrees: Tensor
    scale: Tensor
    across: Tensor
    down: Tensor

    def part(self, where: Tensor | slice) -> "Moves":
        """Return some of the moves."""
        return self._each(lambda values: values[where])

    def to(self, device: torch.device) -> "Moves":
        """Return the same moves on `device`."""
        return self._each(lambda values: values.to(device))

    def _each(self, change: Callable[[Tensor], Tensor]) -> "Moves":
        values = (self.kind, self.degrees, self.scale, self.across, self.down)
        return Moves(*map(change, values))


def draw_moves(count: int, generator: torch.Generator) -> Moves:
    """Draw moves, each kind with probability 1/3.

    Paper: Zhang et al., Bag of Tricks, AAAI 2021; the ranges are those of its code: -45 to 44
    degrees, 0.80 to 1.19 times as large, each in whole steps.
    """
    kind = torch.randint(0, 3, (count,), generator=generator)
    degrees = torch.randint(-45, 45, (count,), generator=generator).float()
    scale = torch.randint(80, 120, (count,), generator=generator) / 100
    across, down = torch.rand(2, count, generator=generator, dtype=torch.float64)
    return Moves(kind, degrees, scale, across, down)


def _sources(moves: Moves, found: Foreground) -> Tensor:
    """Return float32 (M, 2, 3): where a place (x, y, 1) of the result lies in the picture."""
    height, width = found.mask.shape[1:]
    zero, one = torch.zeros_like(moves.scale), torch.ones_like(moves.scale)
    # The shift is between -left and width - 1 - right, so the box stays inside.
    room_x, room_y = found.left + width - found.right, found.top + height - found.bottom
    dx = (moves.across * room_x).floor().float() - found.left
    dy = (moves.down * room_y).floor().float() - found.top
    shift = torch.stack([one, zero, -dx, zero, one, -dy], dim=1)
    flip = torch.stack([-one, zero, one * (width - 1), zero, one, zero], dim=1)
    x, y = (found.left + found.right) / 2, (found.top + found.bottom) / 2
    angle = moves.degrees * (math.pi / 180)
    cos, sin = angle.cos() / moves.scale, angle.sin() / moves.scale
    turn = torch.stack([cos, -sin, x - cos * x + sin * y, sin, cos, y - sin * x - cos * y], dim=1)
    kind = moves.kind.unsqueeze(1)
    chosen = torch.where(kind == FLIP, flip, torch.where(kind == SHIFT, shift, turn))
    return chosen.view(-1, 2, 3)


def paste_moved(images: Tensor, found: Foreground, moves: Moves) -> Tensor:
    """Return the images with their moved foregrounds on top, uint8 (M, C, H, W).

    Whatever the moved foreground does not cover keeps its pixels, also where the foreground was.
    Colours are bilinear, the mask is nearest.

    Differs from the authors' code, which fills the old place of the foreground with the moved
    picture and takes black pixels for transparent ones.

    Args:
        images: uint8 (M, C, H, W).
        found: their foregrounds.
        moves: one for each.
    """
    height, width = images.shape[2:]
    device = images.device
    xs, ys = torch.arange(width, device=device), torch.arange(height, device=device)
    place = torch.stack(
        [xs.repeat(height), ys.repeat_interleave(width), torch.ones(height * width, device=device)]
    )
    source = torch.matmul(_sources(moves, found), place)  # (M, 2, H * W)
    # grid_sample counts from -1 to 1, from the outer edge of the first pixel to that of the last.
    size = torch.tensor([width, height], device=device).view(1, 2, 1)
    grid = ((2 * source + 1) / size - 1).permute(0, 2, 1).reshape(-1, height, width, 2)
    colours = F.grid_sample(images.float(), grid, padding_mode="border", align_corners=False)
    mask = F.grid_sample(found.mask.unsqueeze(1).float(), grid, mode="nearest", align_corners=False)
    return torch.where(mask > 0.5, colours.round().to(torch.uint8), images)
