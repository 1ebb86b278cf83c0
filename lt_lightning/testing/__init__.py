"""The contracts of losses, samplers, methods and augmentations, for tests of your own.

Each function raises AssertionError with what is broken. The package's own tests run the same ones.

    from lt_lightning.testing import check_loss

    def test_my_loss():
        check_loss(MyLoss)
"""

from lt_lightning.testing.losses import check_loss

__all__ = ["check_loss"]
