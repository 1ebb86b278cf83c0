"""Where a training stands in its epoch, and whether it is cut there."""

from typing import Any

from lightning.pytorch import Trainer

LOOK_EVERY = 5  # steps between two questions to the other processes


def in_mid_epoch(trainer: Trainer) -> bool:
    """Return whether some batches of the epoch are done, and some are not."""
    done = trainer.fit_loop.batch_idx + 1
    return 0 < done < trainer.num_training_batches and not trainer.is_last_batch


def is_whole_step(trainer: Trainer, batch_idx: int) -> bool:
    """Return whether the optimizer made its step with this batch: no gradient is half accumulated.

    Where a training is cut elsewhere, what was accumulated is lost.
    """
    return trainer.is_last_batch or (batch_idx + 1) % trainer.accumulate_grad_batches == 0


def may_agree(trainer: Trainer, batch_idx: int) -> bool:
    """Return whether the processes may agree behind this batch to leave: the same on all of them.

    One process alone looks after each step, several after each LOOK_EVERY of an epoch.
    """
    if not is_whole_step(trainer, batch_idx):
        return False
    steps = (batch_idx + 1) // trainer.accumulate_grad_batches
    return trainer.world_size == 1 or steps % LOOK_EVERY == 0


def ends_here(trainer: Trainer) -> bool:
    """Return whether this batch is the last one of the training, as far as is known after it."""
    return _stops(trainer, trainer.current_epoch)


def is_over(trainer: Trainer, epochs: int) -> bool:
    """Return whether the training comes to its end by itself here, with so many whole epochs."""
    planned = trainer.max_epochs
    return (planned is not None and 0 <= planned <= epochs) or _stops(trainer, epochs)


def _stops(trainer: Trainer, epochs: int) -> bool:
    if 0 <= trainer.max_steps <= trainer.global_step:
        return True
    long_enough = epochs >= (trainer.min_epochs or 0)
    return trainer.should_stop and long_enough and trainer.global_step >= (trainer.min_steps or 0)


def unfinish(checkpoint: dict[str, Any]) -> None:
    """Let a checkpoint that was written in mid-epoch say so.

    Lightning counts the epoch that it cuts as done, so that a run that goes on would lose the rest
    of it.
    """
    progress = checkpoint["loops"]["fit_loop"]["epoch_progress"]
    for level in (progress["total"], progress["current"]):
        level["processed"] = level["completed"] = level["started"] - 1
