"""auto.json: plan, times, numbers and choice of a course, from which it goes on."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lt_lightning.auto import kept
from lt_lightning.auto.kept import BEGUN
from lt_lightning.auto.works import LOG
from lt_lightning.errors import UserError
from lt_lightning.runs import record_file
from lt_lightning.runs.metrics_file import FILE_NAME as METRICS_FILE

FILE_NAME = "auto.json"
SCHEMA_VERSION = 2


@dataclass
class StepRecord:
    """What is known of one step.

    Attributes:
        status: done, failed, begun, or left out.
        begun: how often, since its newest checkpoint and but for what the user has ended.
        behind: epochs that its checkpoint had when it was begun last.
        run: its run folder, below that of the course.
        seconds: that it took, all commands together.
        macro: accuracy on the held-out images, mean over their classes, from 0 to 1.
        sd: its standard deviation.
        right: a letter for each held-out image, 1 where it is right.
        why: it failed or was left out.
    """

    status: str = BEGUN
    begun: int = 0
    behind: int = 0
    run: str | None = None
    seconds: float = 0.0
    macro: float | None = None
    sd: float | None = None
    right: str = ""
    why: str | None = None


@dataclass
class Record:
    """A course.

    Attributes:
        asked: the words of its command, but for the minutes.
        minutes: that it may take, over all commands.
        files: what stands for the content of each config file of it, by path.
        seconds: that it took, up to `since` where a command is at work.
        since: when that command began, in seconds of the clock; none where none is at work.
        epoch_seconds: of an epoch of the baseline, as measured; 0 before.
        around_seconds: that a training takes beside its epochs.
        change_seconds: that a change without training takes.
        epochs: of the baseline; 0 before the plan is made.
        labels: of the held-out images.
        class_names: in label order.
        steps: by name.
        chosen: the step whose model is taken, with what the test split said of it.
    """

    asked: list[str]
    minutes: float
    files: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    since: float | None = None
    epoch_seconds: float = 0.0
    around_seconds: float = 0.0
    change_seconds: float = 0.0
    epochs: int = 0
    labels: list[int] = field(default_factory=list)
    class_names: list[str] = field(default_factory=list)
    steps: dict[str, StepRecord] = field(default_factory=dict)
    chosen: dict[str, Any] | None = None

    @classmethod
    def open(
        cls, folder: Path, asked: Sequence[str], minutes: float, files: Mapping[str, str]
    ) -> "Record":
        """Return the record of a folder, or a new one.

        Args:
            folder: of the course.
            asked: the words of the command, but for the minutes.
            minutes: that it may take.
            files: what stands for the content of each config file among the words, by path.

        Raises:
            UserError: if the folder holds something else, or the course of another command or of
                config files that say something else now.
        """
        file = folder / FILE_NAME
        again = "remove its folder, or give another --name"
        found = record_file.read_record(file, SCHEMA_VERSION, _parsed, again)
        if found is None and any(path.name[:1] != "." for path in folder.iterdir()):
            raise UserError(
                f"{folder} holds something that `lt auto` did not make: give another --name."
            )
        found = found or cls(list(asked), minutes, dict(files))
        if found.asked != list(asked):
            raise UserError(
                f"{folder} was begun by `lt auto {shlex.join(found.asked)}`: go on with these "
                "options, or give another --name."
            )
        changed = next((file for file in files if found.files.get(file) != files[file]), None)
        if changed is not None:
            raise UserError(
                f"{changed} says something else than when {folder} was begun, and its steps would "
                "not compare: put it back as it was, or give another --name."
            )
        found.minutes = minutes
        return found

    def write(self, folder: Path) -> None:
        """Write it, whole or not at all."""
        file, again = folder / FILE_NAME, "start the same command again"
        record_file.write_record(file, SCHEMA_VERSION, asdict(self), again, indent=1)

    def step(self, name: str) -> StepRecord:
        """Return what is known of a step."""
        return self.steps.setdefault(name, StepRecord())

    def spent(self, now: float) -> float:
        """Return the seconds of all commands, up to `now`."""
        return self.seconds + (0.0 if self.since is None else max(now - self.since, 0.0))

    def begin(self, now: float, last_sign: float) -> None:
        """Start the clock; that of a command that was killed stops at its last sign of life.

        Args:
            now: seconds of the clock.
            last_sign: when the course last wrote into the folder.
        """
        self.seconds, self.since = self.spent(min(last_sign, now)), now

    def stop(self, now: float) -> None:
        """Stop the clock."""
        self.seconds, self.since = self.spent(now), None


def last_sign(folder: Path) -> float:
    """Return when a course last wrote into its folder, in seconds of the clock.

    Only what a training writes counts: tests and reports of its steps may be made any day later.
    """
    kinds = (FILE_NAME, LOG, METRICS_FILE, "*.ckpt")
    found = (path for kind in kinds for path in folder.rglob(kind))
    return max((path.lstat().st_mtime for path in found), default=0.0)


def _parsed(content: dict[str, Any]) -> Record:
    kept.check(content)
    steps = {name: StepRecord(**step) for name, step in content["steps"].items()}
    return Record(**{**content, "steps": steps})
