"""Which weights a test was of, so that what was made of others is not shown beside it."""

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.strategies import DDPStrategy, SingleDeviceStrategy

from lt_lightning.engine.digest import digest_of


def tested_weights(trainer: Trainer, module: LightningModule, change: str) -> dict[str, str]:
    """Return the digest for an evaluation.

    Nothing where no process has all the weights, or where they were changed after training: a
    change on another device may differ in the last digit.

    Args:
        trainer: at the end of a test.
        module: that was tested.
        change: after training, or nothing.
    """
    return {"weights": digest_of(module)} if is_whole(trainer) and not change else {}


def is_whole(trainer: Trainer) -> bool:
    """Return whether each process has all the weights."""
    return isinstance(trainer.strategy, SingleDeviceStrategy | DDPStrategy)
