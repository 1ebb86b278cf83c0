"""The contracts of losses, samplers, methods and augmentations, for tests of your own.

Each function raises AssertionError with what is broken. The package's own tests run the same ones.

    from lt_lightning.testing import check_loss

    def test_my_loss():
        check_loss(MyLoss)
"""

from lt_lightning.testing.augment import check_augment
from lt_lightning.testing.losses import check_loss
from lt_lightning.testing.methods import check_method
from lt_lightning.testing.samplers import check_sampling_rule
from lt_lightning.testing.toy import ToyImages, toy_backbone, toy_data

__all__ = [
    "ToyImages",
    "check_augment",
    "check_loss",
    "check_method",
    "check_sampling_rule",
    "toy_backbone",
    "toy_data",
]
