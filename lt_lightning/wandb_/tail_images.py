"""Test images of the rarest classes with what the model says of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lt_lightning.metrics.prediction import NO_CLASS, predicted_class

_CLASSES = 8
_PER_CLASS = 4


@dataclass(frozen=True)
class TailImage:
    """One image as people see it, uint8 (H, W, 3), and one line about it."""

    pixels: NDArray[np.uint8]
    caption: str
    target: int


class TailImages:
    """Keeps the first images of each of the rarest classes that pass by, four of eight classes.

    Args:
        class_counts: training images per class, (C,); classes without any are left out.
        class_names: C names.
        mean: what the transforms of evaluation subtracted, per channel.
        std: what they divided by.
    """

    def __init__(
        self,
        class_counts: Tensor,
        class_names: Sequence[str],
        mean: Sequence[float],
        std: Sequence[float],
    ) -> None:
        counts = class_counts.tolist()
        rarest = sorted((k for k in range(len(counts)) if counts[k] > 0), key=counts.__getitem__)
        self.wanted = {k: _PER_CLASS for k in rarest[:_CLASSES]}
        self.counts, self.names = counts, list(class_names)
        self.mean, self.std = torch.tensor(mean).view(-1, 1, 1), torch.tensor(std).view(-1, 1, 1)
        self._found: list[TailImage] = []

    def take(self, images: Tensor, targets: Tensor, logits: Tensor) -> None:
        """Look through one batch of normalised images (N, 3, H, W)."""
        if not any(self.wanted.values()):
            return
        for place, target in enumerate(targets.tolist()):
            if self.wanted.get(target, 0) > 0:
                self.wanted[target] -= 1
                self._found.append(self._one(images[place], target, logits[place]))

    def _one(self, image: Tensor, target: int, logits: Tensor) -> TailImage:
        pixels = (image.detach().float().cpu() * self.std + self.mean).clamp(0, 1)
        best = int(predicted_class(logits.detach()[None]))
        if best == NO_CLASS:
            verdict = "no prediction, its numbers are not finite"
        else:
            told = "right" if best == target else f"taken for {self.names[best]}"
            verdict = f"{told}, p {float(logits.detach().float().softmax(dim=0)[best]):.2f}"
        caption = f"{self.names[target]} ({self.counts[target]} training images): {verdict}"
        shown = (255 * pixels).round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy()
        return TailImage(shown, caption, target)

    @property
    def found(self) -> list[TailImage]:
        """The images, the rarest class first."""
        order = {target: place for place, target in enumerate(self.wanted)}
        return sorted(self._found, key=lambda image: order[image.target])
