"""auto.json: plan, times, numbers and choice of a course, from which it goes on."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from lt_lightning.errors import UserError
from lt_lightning.runs import lock, record_file

FILE_NAME = "auto.json"
SCHEMA_VERSION = 1
DONE, FAILED, BEGUN, LEFT_OUT = "done", "failed", "begun", "left out"
_NUMBER = (int, float)


@dataclass
class StepRecord:
    """What is known of one step.

    Attributes:
        status: done, failed, begun, or left out.
        begun: how often it was begun.
        run: its run folder, below that of the course.
        seconds: that it took, all commands together.
        macro: accuracy on the held-out images, mean over their classes, from 0 to 1.
        sd: its standard deviation.
        right: a letter for each held-out image, 1 where it is right.
        why: it failed or was left out.
    """

    status: str = BEGUN
    begun: int = 0
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
    def open(cls, folder: Path, asked: Sequence[str], minutes: float) -> "Record":
        """Return the record of a folder, or a new one.

        Raises:
            UserError: if the folder holds something else, or the course of another command.
        """
        file = folder / FILE_NAME
        again = "remove its folder, or give another --name"
        found = record_file.read_record(file, SCHEMA_VERSION, _parsed, again)
        if found is None and any(path.name[:1] != "." for path in folder.iterdir()):
            raise UserError(
                f"{folder} holds something that `lt auto` did not make: give another --name."
            )
        found = found or cls(list(asked), minutes)
        if found.asked != list(asked):
            raise UserError(
                f"{folder} was begun by `lt auto {' '.join(found.asked)}`: go on with these "
                "options, or give another --name."
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
            last_sign: when something was last written into the folder.
        """
        self.seconds, self.since = self.spent(min(last_sign, now)), now

    def stop(self, now: float) -> None:
        """Stop the clock."""
        self.seconds, self.since = self.spent(now), None


def last_sign(folder: Path) -> float:
    """Return when something was last written below a folder, in seconds of the clock.

    A lock does not count: the command that asks has just taken it.
    """
    found = (path for path in folder.rglob("*") if path.name != lock.LOCK)
    return max((path.lstat().st_mtime for path in found), default=0.0)


def _parsed(content: dict[str, Any]) -> Record:
    steps = content.pop("steps")
    found: Record = _of(Record, {**content, "steps": {}})
    found.steps = {name: _of(StepRecord, step) for name, step in steps.items()}
    _check(found)
    return found


def _of(kind: type[Any], content: dict[str, Any]) -> Any:
    missing = {one.name for one in fields(kind)} - set(content)
    if missing:
        raise ValueError(f"it has no {min(missing)}")
    return kind(**content)


def _check(found: Record) -> None:
    """Refuse what would fail later, without a word about where it came from."""
    numbers = ("seconds", "epoch_seconds", "around_seconds", "change_seconds", "epochs")
    bad = [name for name in numbers if not _is_number(vars(found)[name])]
    bad += [name for name in ("asked", "class_names") if not _texts(vars(found)[name])]
    for name, step in found.steps.items():
        right = isinstance(step.right, str) and len(step.right) in (0, len(found.labels))
        bad += [] if right and _is_number(step.seconds) else [f"steps.{name}"]
    if bad:
        raise ValueError(f"{bad[0]} is not as it should be")


def _is_number(value: Any) -> bool:
    return isinstance(value, _NUMBER) and not isinstance(value, bool) and value >= 0


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
