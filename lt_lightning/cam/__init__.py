"""CAM-based re-sampling: new training images from the foregrounds that a trained run looks at.

Paper: Zhang et al., Bag of Tricks for Long-Tailed Visual Recognition with Deep Convolutional Neural
Networks, AAAI 2021.
"""

from lt_lightning.cam.activation import activation_maps, class_weight
from lt_lightning.cam.foreground import Foreground, foregrounds
from lt_lightning.cam.generate import Plan, generate, plan_images
from lt_lightning.cam.moves import Moves, draw_moves, paste_moved

__all__ = [
    "Foreground",
    "Moves",
    "Plan",
    "activation_maps",
    "class_weight",
    "draw_moves",
    "foregrounds",
    "generate",
    "paste_moved",
    "plan_images",
]
