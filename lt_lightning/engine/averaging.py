"""Where weights cannot be averaged."""

import lightning as L
from lightning.pytorch.callbacks import WeightAveraging

from lt_lightning.errors import UserError


def refuse_averaging(trainer: L.Trainer, why: str) -> None:
    """Refuse a callback that averages weights.

    Args:
        trainer: with its callbacks.
        why: what is wrong with it and what to do, after "EMAWeightAveraging would ".

    Raises:
        UserError: if there is one.
    """
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        if isinstance(callback, WeightAveraging):
            raise UserError(f"{type(callback).__name__} would {why}.")
