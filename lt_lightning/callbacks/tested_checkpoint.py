"""The checkpoint that a test is of: where it lies, what chose it, what it tells of a training."""

from pathlib import Path

from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import ModelCheckpoint

from lt_lightning.callbacks.checkpoints import BestCheckpoint
from lt_lightning.callbacks.training_progress import Trained
from lt_lightning.errors import UserError
from lt_lightning.runs.checkpoint import read
from lt_lightning.runs.past import Past, choice
from lt_lightning.runs.reported import ReportedData, ReportedModule


def place(source: str | Path | None, folder: Path) -> str | None:
    """Return where a checkpoint lies, below the run folder where it does; none for none."""
    if not source:
        return None
    tested, own = Path(source).resolve(), folder.resolve()
    inside = tested.is_relative_to(own)
    return (tested.relative_to(own) if inside else tested).as_posix()


def past_behind(loaded: Trained | None, module: ReportedModule, data: ReportedData) -> Past:
    """Return what weights have behind them: their checkpoint tells, before what a test says."""
    if loaded is not None and loaded.past is not None:
        return loaded.past
    return Past(bool(data.monitor_test), bool(module.oracle)).after(module.past)


def best_choice(trainer: Trainer, monitor: str | None, past: Past, earlier: str | None) -> str:
    """Return how the best checkpoint was chosen.

    Args:
        trainer: whose callbacks are asked for the metric.
        monitor: the metric; none asks them.
        past: what the weights have behind them.
        earlier: what was told of it by a test that knew the metric.
    """
    known = (BestCheckpoint, ModelCheckpoint)
    monitors = (c.monitor for c in trainer.checkpoint_callbacks if isinstance(c, known))
    monitor = monitor or next((m for m in monitors if m), None)
    if monitor is None and earlier is not None:
        return earlier
    return choice(monitor, past.test_seen)


def of_training(
    folder: Path, source: str | Path | None, loaded: Trained | None, ended: bool
) -> Trained | None:
    """Return what a checkpoint tells of a training that this process had no part in.

    That of last.ckpt, where the tested one lies beside it: it may be an early one.

    Args:
        folder: of the run.
        source: the checkpoint that is tested; none for none.
        loaded: what that tells.
        ended: whether the run came to its end before.
    """
    last = folder.resolve() / "checkpoints" / "last.ckpt"
    tested = Path(source).resolve() if source else last if ended else None
    if tested is None or tested.parent != last.parent or (loaded and tested == last):
        return loaded
    try:
        return Trained.of(read(last), last)
    except UserError:  # it is gone or damaged, and the tested one tells nearly as much
        return loaded
