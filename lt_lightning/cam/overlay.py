"""A class-activation map in colour over its picture."""

import torch
from matplotlib import colormaps
from torch import Tensor

from lt_lightning.cam import foreground


def overlay(pictures: Tensor, maps: Tensor) -> Tensor:
    """Return the maps in colour over the pictures in grey, float (K, 3, H, W) from 0 to 1.

    Args:
        pictures: float (K, 3, H, W), from 0 to 1.
        maps: float32 (K, h, w), from 0 to 1.
    """
    large = foreground.enlarge(maps, (pictures.shape[2], pictures.shape[3]))
    colour = torch.from_numpy(colormaps["inferno"](large.numpy())[..., :3]).permute(0, 3, 1, 2)
    grey = pictures.mean(dim=1, keepdim=True)
    return 0.35 * grey + 0.65 * colour.float()
