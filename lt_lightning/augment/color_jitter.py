"""Random brightness, contrast, saturation and hue per image."""

import torch
from torch import Tensor

from lt_lightning.augment.base import (
    BatchTransform,
    Op,
    apply_per_group,
    check_colours,
    check_range,
)
from lt_lightning.augment.ops_color import (
    adjust_brightness,
    adjust_contrast,
    adjust_hue,
    adjust_saturation,
)
from lt_lightning.augment.places import rand


class ColorJitter(BatchTransform):
    """Random brightness, contrast, saturation and hue, in random order per image.

    The factors are uniform on [max(0, 1 - v), 1 + v], the shift of the hue on [-hue, hue]. A value
    of 0 leaves the operation out. As in torchvision, pixels are whole numbers after each operation.

    Paper: Howard, Some Improvements on Deep Convolutional Neural Network Based Image
    Classification, arXiv 2013, section 2 (recalled, unchecked). The defaults are what long-tail
    codes use on ImageNet-LT and Places-LT.

    Args:
        brightness: half width of the factor's range, at least 0.
        contrast: half width of the factor's range, at least 0.
        saturation: half width of the factor's range, at least 0.
        hue: largest turn, in turns of the colour circle, from 0 to 0.5.
        probability: of an image to be jittered at all, in [0, 1]; 0.8 is usual for contrastive
            views.

    Raises:
        UserError: if a value is outside its range.
    """

    def __init__(
        self,
        brightness: float = 0.4,
        contrast: float = 0.4,
        saturation: float = 0.4,
        hue: float = 0.0,
        probability: float = 1.0,
    ) -> None:
        check_range("brightness", brightness, 0)
        check_range("contrast", contrast, 0)
        check_range("saturation", saturation, 0)
        check_range("hue", hue, 0, 0.5)
        check_range("probability", probability, 0, 1)
        self.brightness, self.contrast = brightness, contrast
        self.saturation, self.hue, self.probability = saturation, hue, probability

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return jittered images, uint8 (N, C, H, W)."""
        check_colours(images)
        if self.probability == 1:
            return self._jittered(images, generator)
        draw = rand(len(images), generator=generator)
        chosen = (draw < self.probability).view(-1, 1, 1, 1)
        return torch.where(chosen, self._jittered(images, generator), images)

    def _jittered(self, images: Tensor, generator: torch.Generator) -> Tensor:
        active = self._active()
        shape = (len(images), len(active))
        # The rank of uniform numbers is a uniform permutation.
        order = rand(*shape, generator=generator).argsort(1)
        uniform = rand(*shape, generator=generator)
        ops = [op for op, _, _ in active]
        for stage in range(len(active)):
            choice = order[:, stage]
            magnitude = uniform[:, stage]
            for index, (_, low, high) in enumerate(active):
                scaled = low + (high - low) * uniform[:, stage]
                magnitude = torch.where(choice == index, scaled, magnitude)
            images = apply_per_group(images, choice, ops, magnitude)
        return images

    def _active(self) -> list[tuple[Op, float, float]]:
        """Return the operations that do something, each with its range."""
        factors: list[tuple[Op, float]] = [
            (adjust_brightness, self.brightness),
            (adjust_contrast, self.contrast),
            (adjust_saturation, self.saturation),
        ]
        active = [(op, max(0.0, 1 - v), 1 + v) for op, v in factors if v > 0]
        return [*active, (adjust_hue, -self.hue, self.hue)] if self.hue > 0 else active
