"""Steps that wait for the signal of a test: callbacks for `--trainer.callbacks`."""

import math
import os
import time
from pathlib import Path

from lightning.pytorch.callbacks import Callback

from lt_lightning.runs import signals, warning

_LONGEST = 20.0  # seconds of a step


class SlowSteps(Callback):
    """Takes its time from a step on, until a signal comes.

    The file reached-RUN tells that it is there; where there is a file `hurry` it does not wait.

    Args:
        begin: the step, counted from 0, of each start of the job; later starts do not wait.
    """

    def __init__(self, begin: list[int]) -> None:
        self.begin = begin

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        """Wait a little."""
        starts = int(os.environ.get("SLURM_RESTART_COUNT") or 0)
        if trainer.global_step < [*self.begin, math.inf][min(starts, len(self.begin))]:
            return
        if trainer.is_global_zero:
            Path(f"reached-{Path(trainer.default_root_dir).name}").touch()
        _wait(Path("hurry"))


class SlowTests(Callback):
    """Takes its time at a batch of the first test or validation, on one process alone.

    The file reached-test tells that it is there, and that the others have nothing left to do.

    Args:
        rank: of the process.
    """

    def __init__(self, rank: int) -> None:
        self.rank = rank

    def on_test_batch_start(self, trainer, pl_module, batch, batch_idx, dataloader_idx=0):
        """Wait a little."""
        there = Path("reached-test")
        if trainer.global_rank == self.rank and batch_idx == 1 and not there.exists():
            time.sleep(1.0)
            there.touch()
            _wait(Path("hurry"))

    def on_validation_batch_start(self, trainer, *args):
        """Wait a little, outside of a training."""
        if trainer.state.fn == "validate":
            self.on_test_batch_start(trainer, *args)


def _wait(hurry):
    until = time.monotonic() + _LONGEST
    while time.monotonic() < until and not _is_over(hurry):
        time.sleep(0.05)


def _is_over(hurry):
    return bool(warning.noted() or signals.noted() or hurry.exists())
