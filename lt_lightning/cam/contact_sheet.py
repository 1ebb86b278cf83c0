"""A picture to look at: what the new images of each class were made from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import Tensor

from lt_lightning.cam import foreground
from lt_lightning.cam.moves import NAMES
from lt_lightning.cam.overlay import overlay
from lt_lightning.figures.labels import shortened

_CELL = 96  # pixels a side
_GAP = 4
_LETTERS = 24
CLASSES, EXAMPLES = 12, 3


@dataclass(frozen=True)
class Shown:
    """K images of the sheet, class by class, as many of each.

    Attributes:
        labels: int64 (K,).
        kinds: int64 (K,), how the foreground was moved.
        originals: uint8 (K, 3, H, W).
        maps: float32 (K, h, w), from 0 to 1.
        generated: uint8 (K, 3, H, W).
    """

    labels: Tensor
    kinds: Tensor
    originals: Tensor
    maps: Tensor
    generated: Tensor


def choose_shown(labels: Tensor) -> Tensor:
    """Return which of the new images (M,) are shown: at most 12 classes, evenly spread.

    Of each class its first ones, 3 or as many as the largest has; a class with fewer shows its
    last one again.
    """
    classes, counts = torch.unique_consecutive(labels, return_counts=True)
    start = counts.cumsum(0) - counts
    spread = torch.linspace(0, len(classes) - 1, min(CLASSES, len(classes))).round().long()
    place = torch.arange(min(EXAMPLES, int(counts[spread].max())))
    chosen: Tensor = start[spread, None] + torch.minimum(place, counts[spread, None] - 1)
    return chosen.flatten()


def class_titles(names: Sequence[str], old: Tensor, new: Tensor) -> list[str]:
    """Return for each class its name, and how many old and new images it has, in two lines."""
    short = [shortened(name, _LETTERS) for name in names]
    counts = zip(short, old.tolist(), new.tolist(), strict=True)
    return [f"{name}\n{before:,} + {added:,}" for name, before, added in counts]


def contact_sheet(shown: Shown, titles: Sequence[str], threshold: float) -> Figure:
    """Return one row for each class: original, map with the foreground's outline, new image.

    Args:
        shown: what is drawn.
        titles: C texts to the left of the rows.
        threshold: of the foreground, see `foregrounds`.
    """
    rows = len(set(shown.labels.tolist()))
    examples = len(shown.labels) // rows
    cells = torch.stack(
        [_enlarge(shown.originals), _heat(shown, threshold), _enlarge(shown.generated)], dim=1
    ).view(rows, examples * 3, 3, _CELL, _CELL)
    picture, middles = _mosaic(cells)
    height, width = picture.shape[:2]
    figure = Figure(figsize=(2.2 + width / 100, 1.3 + height / 100), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(picture, interpolation="nearest")
    axes.set_xticks(middles[1], ["original", "map", "new"] * examples)
    texts = [titles[c] for c in shown.labels[::examples].tolist()]
    axes.set_yticks(middles[0], texts, parse_math=False)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    kinds = shown.kinds.view(rows, examples)
    for row in range(rows):
        for example in range(examples):
            x, y = middles[1][3 * example + 2], middles[0][row]
            axes.text(
                x - _CELL / 2 + 4, y + _CELL / 2 - 4, NAMES[int(kinds[row, example])],
                fontsize="x-small", color="white", va="bottom",
                bbox={"facecolor": "black", "alpha": 0.6, "pad": 1.5, "linewidth": 0},
            )  # fmt: skip
    axes.set_title("Moved foregrounds; the outline is where a map is at least "
                   f"{threshold:g} x its mean", fontsize="medium")  # fmt: skip
    return figure


def _enlarge(images: Tensor) -> Tensor:
    """Return uint8 (K, 3, H, W) in the size of a cell, float from 0 to 1."""
    small = max(images.shape[2:]) < _CELL
    mode, antialias = ("nearest", False) if small else ("bilinear", True)
    large = F.interpolate(images.float(), size=(_CELL, _CELL), mode=mode, antialias=antialias)
    return large / 255


def _heat(shown: Shown, threshold: float) -> Tensor:
    """Return the maps in colour over the originals, with the outline of the foreground in white."""
    size = (shown.originals.shape[2], shown.originals.shape[3])
    mask = foreground.foregrounds(shown.maps, size, threshold).mask.unsqueeze(1).float()
    mask = F.interpolate(mask, size=(_CELL, _CELL), mode="nearest")
    outline = (mask > 0) & (F.max_pool2d(1 - mask, 3, 1, 1) > 0)
    return torch.where(outline, 1.0, overlay(_enlarge(shown.originals), shown.maps))


def _mosaic(
    cells: Tensor,
) -> tuple["np.ndarray[tuple[int, ...], np.dtype[np.float32]]", tuple[list[float], list[float]]]:
    """Return cells (rows, columns, 3, S, S) side by side, and the middles of rows and columns."""
    rows, columns = cells.shape[:2]
    step = _CELL + _GAP
    after = [3 * _GAP * (column // 3) for column in range(columns)]  # three cells belong together
    picture = torch.ones(rows * step - _GAP, columns * step - _GAP + after[-1], 3)
    for row in range(rows):
        for column in range(columns):
            y, x = row * step, column * step + after[column]
            picture[y : y + _CELL, x : x + _CELL] = cells[row, column].permute(1, 2, 0)
    middle = (_CELL - 1) / 2
    return picture.numpy(), (
        [row * step + middle for row in range(rows)],
        [column * step + after[column] + middle for column in range(columns)],
    )
