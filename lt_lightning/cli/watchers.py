"""The callbacks that watch a run of `lt`."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import Logger

from lt_lightning.callbacks import ClassWeights, EpochLines, NonFiniteGuard, RunRecord, WandbMedia
from lt_lightning.callbacks.checkpoints import BestCheckpoint, LastCheckpoint
from lt_lightning.callbacks.hear_peers import HearPeers
from lt_lightning.callbacks.progress import StageBar
from lt_lightning.callbacks.requeue import Requeue
from lt_lightning.callbacks.run_logger import RunLogger
from lt_lightning.callbacks.save_config import SaveConfig
from lt_lightning.callbacks.stage_checkpoint import StageCheckpoint
from lt_lightning.callbacks.stop import StopBetweenSteps
from lt_lightning.cli.odd_pictures import OddPictures
from lt_lightning.cli.words.options import CheckpointOptions
from lt_lightning.data import LongTailDataModule
from lt_lightning.wandb_.media import data_name
from lt_lightning.wandb_.run import WandbRun


@dataclass
class Watchers:
    """What watches a run in `folder`; the later ones see what the earlier ones wrote.

    Attributes:
        folder: of the run, or that of all runs where none is written.
        record: writes the results.
        best: keeps the best checkpoint of a fit with held-out images.
    """

    folder: Path
    command: list[str] | None
    best: BestCheckpoint | None = None
    record: RunRecord = field(init=False)

    def __post_init__(self) -> None:
        self.record = RunRecord(str(self.folder))
        self.record.command = self.command

    def of_test(self) -> list[Callback]:
        """Return those of a test or a validation."""
        return [_bar(), HearPeers(), self.record, StopBetweenSteps(None)]

    def of_trial(self) -> list[Callback]:
        """Return those of a fit of a few batches, of which nothing is kept."""
        return [*self._of_any_fit(), StopBetweenSteps(None)]

    def of_fit(
        self, save: SaveConfig, options: CheckpointOptions, *, stages: int, validates: bool
    ) -> list[Callback]:
        """Return those of a fit.

        Args:
            save: writes the config.
            options: when checkpoints are written.
            stages: of the run.
            validates: whether there are held-out images.
        """
        folder = self.folder / "checkpoints"
        found = [*self._of_any_fit(), save, LastCheckpoint(folder, options.every_n_steps)]
        if stages > 1:
            found.append(StageCheckpoint(folder))
        found.append(Requeue(folder))
        if validates:
            self.best = BestCheckpoint(folder, options.monitor, options.mode)
            found.append(self.best)
        return [*found, StopBetweenSteps(folder)]  # behind last.ckpt, saved at the same hook

    def _of_any_fit(self) -> list[Callback]:
        return [
            _bar(),
            HearPeers(),
            OddPictures(),
            NonFiniteGuard(),
            ClassWeights(),
            self.record,
            WandbMedia(),
        ]

    def loggers(
        self, given: list[Any], data: LongTailDataModule, resumed: tuple[int, int] | None
    ) -> list[Logger]:
        """Return the loggers of a fit: metrics.csv first, then those that are asked for.

        Args:
            given: what the config gives.
            data: of the run.
            resumed: steps and whole epochs of the checkpoint that it goes on from.
        """
        for logger in given:
            if isinstance(logger, WandbRun):
                logger.use_folder(self.folder, data_name(data))
        own = RunLogger(self.folder, *(resumed or ()))
        return [own, *(logger for logger in given if isinstance(logger, Logger))]


def _bar() -> Callback:
    return StageBar() if sys.stderr.isatty() else EpochLines()
