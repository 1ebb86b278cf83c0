"""How a run changes over to its next stage, and which trainers cannot."""

import lightning as L
from lightning.pytorch.callbacks import EarlyStopping
from lightning.pytorch.strategies import DDPStrategy

from lt_lightning.engine.averaging import refuse_averaging
from lt_lightning.engine.base import LongTailModule
from lt_lightning.engine.rank_order import add_in_order
from lt_lightning.errors import Agreed, UserError
from lt_lightning.trainer_parts import is_trial


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
        add_in_order(strategy)


def check_trainer(trainer: L.Trainer, stage1_epochs: int, stage2_epochs: int) -> None:
    """Refuse a trainer that cannot fit both stages.

    Raises:
        UserError: with the option to change.
    """
    total = stage1_epochs + stage2_epochs
    if trainer.max_epochs != total and not is_trial(trainer):
        raise UserError(
            f"stage1_epochs {stage1_epochs} and stage2_epochs {stage2_epochs} are {total} epochs "
            f"but trainer.max_epochs is {trainer.max_epochs}: set --trainer.max_epochs null, or "
            "--model.stage1_epochs and --model.stage2_epochs."
        )
    if trainer.strategy.restore_checkpoint_after_setup and stage1_epochs:
        raise Agreed(
            f"{type(trainer.strategy).__name__} cannot change stages in one run: give two "
            "commands, stage 1 by ERM (configs/ce.yaml), then this one with "
            "--model.stage1_ckpt RUN and --trainer.strategy ddp."
        )
    stops = [c for c in trainer.callbacks if isinstance(c, EarlyStopping)]  # type: ignore[attr-defined]
    if stops and stage1_epochs:
        raise UserError(
            "EarlyStopping could end the run in stage 1: leave it out, or run stage 1 by ERM "
            "and this method with --model.stage1_ckpt RUN."
        )
    refuse_averaging(
        trainer,
        "average the classifiers of both stages: leave it out, or average stage 1 alone, by ERM, "
        "and give this method --model.stage1_ckpt RUN without it",
    )
