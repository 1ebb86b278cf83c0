"""Where a run looks in a picture that it gets wrong."""

import re
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import Tensor

from lt_lightning.cam.overlay import overlay
from lt_lightning.figures.labels import shortened

_SIDE = 256  # pixels of each of the three pictures
_LETTERS, _IN_NAMES = 28, 24


@dataclass(frozen=True)
class Mistake:
    """A picture with two maps.

    Attributes:
        pixels: uint8 (3, H, W).
        maps: float32 (2, h, w), of the predicted and of the true class, from 0 to 1.
        true: the name of its class.
        predicted: the name of the class that it is taken for.
        confidence: the probability of that class.
        place: among the test images, from 0 on.
        file: below the folder of the data, where it has one.
    """

    pixels: Tensor
    maps: Tensor
    true: str
    predicted: str
    confidence: float
    place: int
    file: str | None

    @property
    def file_name(self) -> str:
        """The name of its figure, safe in any folder."""
        return f"{_safe(self.true)}_as_{_safe(self.predicted)}_{self.place}.png"


def _safe(name: str) -> str:
    """Return letters, digits, underscores and dashes for a name: 96 bytes at most."""
    return re.sub(r"[^\w-]", "_", name)[:_IN_NAMES].lstrip("-") or "_"


def draw(mistake: Mistake) -> Figure:
    """Return the picture, and beside it both maps over it, in colour."""
    small = max(mistake.pixels.shape[1:]) < _SIDE
    picture = mistake.pixels.unsqueeze(0).float() / 255
    options = {"mode": "nearest"} if small else {"mode": "bilinear", "antialias": True}
    large = F.interpolate(picture, size=(_SIDE, _SIDE), **options)
    panels = torch.cat([large, overlay(large.expand(2, -1, -1, -1), mistake.maps)])
    true, predicted = (shortened(n, _LETTERS) for n in (mistake.true, mistake.predicted))
    titles = (
        shortened(mistake.file or f"test image {mistake.place}", _LETTERS),
        f"taken for, {100 * mistake.confidence:.1f} %:\n{predicted}",
        f"its class:\n{true}",
    )
    figure = Figure(figsize=(8.4, 3.2), layout="constrained")
    for axes, panel, title in zip(figure.subplots(1, 3), panels, titles, strict=True):
        axes.imshow(panel.clamp(0, 1).permute(1, 2, 0).numpy(), interpolation="nearest")
        axes.set_axis_off()
        axes.set_title(title, fontsize="medium", parse_math=False)
    return figure
