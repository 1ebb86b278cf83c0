"""What Lightning must make anew where a run changes over to its next stage."""

from typing import Any

import lightning as L

from lt_lightning.engine.base import LongTailModule


def begin_anew(trainer: L.Trainer, module: LongTailModule) -> None:
    """Make optimizers, schedulers and DDP anew for the parameters that are trained now.

    This is the one place that uses names of Lightning which are public but not documented.
    """
    strategy = trainer.strategy
    strategy.setup_optimizers(trainer)
    if strategy.model is not module:  # DDP counts the gradients it was made for
        strategy.model = module
        configure: Any = getattr(strategy, "configure_ddp")  # noqa: B009  only DDP has it
        configure()
