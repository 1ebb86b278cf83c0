"""What Lightning must make anew where a run changes over to its next stage."""

import lightning as L
from lightning.pytorch.strategies import DDPStrategy

from lt_lightning.engine.base import LongTailModule


def begin_anew(trainer: L.Trainer, module: LongTailModule) -> None:
    """Make optimizers, schedulers and DDP anew for the parameters that are trained now.

    This is the one place that uses names of Lightning which are public but not documented.
    """
    strategy = trainer.strategy
    strategy.setup_optimizers(trainer)
    if strategy.model is not module:  # DDP counts the gradients it was made for
        assert isinstance(strategy, DDPStrategy)  # those that shard weights are refused before
        strategy.model = module
        strategy.configure_ddp()
