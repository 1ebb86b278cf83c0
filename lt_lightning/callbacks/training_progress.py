"""How far the training of a run went, and how long it took."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightning.pytorch import Trainer

from lt_lightning.mid_epoch import in_mid_epoch, is_over
from lt_lightning.runs import environment
from lt_lightning.runs.about import Training
from lt_lightning.runs.checkpoint import trained_epochs
from lt_lightning.runs.kept_training import kept_in
from lt_lightning.runs.past import Past, past_of


@dataclass(frozen=True)
class Trained:
    """How far the training was that a checkpoint is of.

    Attributes:
        epoch: of the weights, 0-based.
        epochs: finished ones; none where it does not tell.
        steps: of the optimizer.
        past: what the weights have behind them; none where nothing tells.
        told: what is known of the training beside that; empty where nothing tells.
    """

    epoch: int
    epochs: int | None
    steps: int
    past: Past | None
    told: Mapping[str, Any]

    @classmethod
    def of(cls, checkpoint: Mapping[str, Any], path: str | Path | None) -> "Trained":
        """Read it from a checkpoint, which may be of the middle of an epoch.

        Args:
            checkpoint: its content.
            path: the file.
        """
        epoch, steps = int(checkpoint["epoch"]), int(checkpoint["global_step"])
        known = past_of(checkpoint, path), kept_in(checkpoint, path)
        return cls(epoch, trained_epochs(checkpoint), steps, *known)


class TrainingProgress:
    """What the record of a run says of its training; a run that goes on adds to its seconds.

    Attributes:
        seconds: of training, without those since the clock was started.
        trained: whether there was a step left to be trained.
        fitted: whether a training of this process came to its end.
        ended: the same, also where there was nothing left of it; one that a signal cuts does not.
        epochs: finished ones; none before the first.
    """

    def __init__(self) -> None:
        self.epochs: int | None = None
        self._steps: int | None = None
        self._planned: int | None = None
        self._at: int | None = None  # the epoch of the last step
        self._hardware: dict[str, Any] | None = None
        self.begin()

    def begin(self) -> None:
        """Set the clock to 0."""
        self.seconds, self.trained, self.fitted, self.ended = 0.0, False, False, False
        self._since: float | None = None

    def start(self) -> None:
        """Start the clock."""
        self._since = time.monotonic()

    def stop(self) -> None:
        """Stop the clock."""
        self.seconds, self._since = self.elapsed(), None

    def elapsed(self) -> float:
        """Return the seconds of training so far."""
        return self.seconds + (0.0 if self._since is None else time.monotonic() - self._since)

    def end_epoch(self, trainer: Trainer) -> None:
        """Count the epoch, if it was not cut; Lightning counts it in any case."""
        self._at = trainer.current_epoch
        self.epochs = self._at + (0 if in_mid_epoch(trainer) else 1)

    def end(self, trainer: Trainer) -> None:
        """Note how far the training went, if it went on at all."""
        self.fitted, self.ended = self.trained, True  # a signal raises, and comes not here
        if not self.trained:
            self.epochs, self._at = trainer.current_epoch, None
        self._steps, self._planned = trainer.global_step, trainer.max_epochs
        self._hardware = environment.hardware(trainer)

    @property
    def last_epoch(self) -> int | None:
        """The epoch whose weights the model has, 0-based; none before the first."""
        if self._at is not None or self.epochs is None:
            return self._at
        return self.epochs - 1

    def so_far(self, trainer: Trainer, checkpoint: Mapping[str, Any]) -> Training:
        """Return what a checkpoint that is saved now tells of the training."""
        return Training(
            seconds=self.elapsed(),
            epochs=self.epochs,
            planned_epochs=trainer.max_epochs,
            steps=trainer.global_step,
            hardware=environment.hardware(trainer),
            ended=is_over(trainer, trained_epochs(checkpoint) or 0),
        )

    def training(self, trainer: Trainer, loaded: Trained | None) -> Training:
        """Return what is known of the training.

        Args:
            trainer: at work; without a training of its own its epochs are those of the run.
            loaded: a checkpoint of the run, if it was not trained in this process.
        """
        epochs, planned, steps, ended = self.epochs, self._planned, self._steps, self.ended
        if epochs is None and loaded is not None:
            epochs, steps = loaded.epochs, loaded.steps
            if not loaded.told:  # which is more than the options of a test
                planned, ended = trainer.max_epochs, 0 <= trainer.max_steps <= steps
        return Training(
            seconds=self.seconds if self.fitted or self.seconds > 0 else None,
            epochs=epochs,
            planned_epochs=planned,
            steps=steps,
            hardware=self._hardware or environment.hardware(trainer),
            ended=ended,
        )
