"""Some of the images lose their colour."""

import torch
from torch import Tensor

from lt_lightning.augment.base import BatchTransform, check_colours, check_range
from lt_lightning.augment.ops_color import adjust_saturation
from lt_lightning.augment.places import rand


class RandomGrayscale(BatchTransform):
    """Each image becomes grey with a given probability, and keeps its three channels.

    The grey is the luma of torchvision, 0.2989 R + 0.587 G + 0.114 B.

    Paper: Chen et al., A Simple Framework for Contrastive Learning of Visual Representations, ICML
    2020, appendix A (probability 0.2).

    Args:
        probability: of an image to become grey, in [0, 1].

    Raises:
        UserError: if `probability` is none.
    """

    def __init__(self, probability: float = 0.2) -> None:
        check_range("probability", probability, 0, 1)
        self.probability = probability

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return the images, some of them grey, uint8 (N, C, H, W)."""
        check_colours(images)
        n, device = len(images), images.device
        chosen = rand(n, generator=generator) < self.probability
        grey = adjust_saturation(images, torch.zeros(n, device=device))
        return torch.where(chosen.view(-1, 1, 1, 1), grey, images)
