"""How far a run of a sweep is: its folder tells, whoever trains it."""

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from lt_lightning.errors import UserError
from lt_lightning.runs import argv, evaluations, lock, metrics_file, origin
from lt_lightning.runs import folder as run_folder
from lt_lightning.runs.config import began_with
from lt_lightning.runs.finished import is_tested
from lt_lightning.runs.results import FILE_NAME, read_results
from lt_lightning.sweep.begun import is_longer, taken_over, trained_on, training_of
from lt_lightning.sweep.job import Job


class Kind(Enum):
    """What can be said of a run."""

    DONE = "done"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    WAITING = "waiting"


@dataclass(frozen=True)
class State:
    """What is known of one run now.

    Attributes:
        kind: of the state.
        epochs: that it has trained.
        seconds: of its training, of a finished run.
    """

    kind: Kind
    epochs: int = 0
    seconds: float | None = None


def state_of(job: Job, root: Path, ended: bool = False) -> State:
    """Return the state of a run as its folder tells it; that of another command tells nothing.

    Args:
        job: the run, or the test of one.
        root: the folder of the sweep.
        ended: whether it is known to have ended by itself, if only by max_time or early stopping;
            else its results tell.
    """
    try:
        return _seen(job, root, ended)
    except OSError:  # nobody may look into it: its own start says so, and no other run waits
        return State(Kind.WAITING)


def _seen(job: Job, root: Path, ended: bool) -> State:
    folder = job.folder(root)
    if job.post_hoc is not None:
        return State(Kind.DONE if _is_changed(job, folder) else Kind.WAITING)
    if taken_over(job, root) is None:
        at_work = lock.is_held(folder) and not origin.is_known(folder)  # about to say what it is
        return State(Kind.RUNNING if at_work else Kind.WAITING)
    training = training_of(folder)
    if not _as_it_began(job, folder, training):  # trained on, say: it is another one now
        return State(Kind.RUNNING if lock.is_held(folder) else Kind.WAITING)
    done = _done(folder, training, ended)
    if done is not None:
        return done
    epochs = epochs_of(folder)
    if lock.is_held(folder):
        return State(Kind.RUNNING, epochs)
    return State(Kind.INTERRUPTED if run_folder.has_checkpoint(folder) else Kind.WAITING, epochs)


def epochs_of(folder: Path) -> int:
    """Return how many epochs a run has trained, as far as its metrics.csv tells."""
    file = folder / metrics_file.FILE_NAME
    if not file.is_file():
        return 0
    with suppress(UserError):
        rows = metrics_file.read_metrics(file, "go on with the run")
        found = {row.get("epoch", math.nan) for row in rows}  # a callback may log without one
        return sum(map(math.isfinite, found))
    return 0


def _as_it_began(job: Job, folder: Path, training: Mapping[str, Any]) -> bool:
    """Return whether nobody has trained a run on by other options, as far as its files tell."""
    with suppress(UserError):
        return trained_on(folder) is None and not is_longer(training, job.epochs)
    return True


def _done(folder: Path, training: Mapping[str, Any], ended: bool) -> State | None:
    """Return the state of a finished run; none of one that has more to do."""
    planned, epochs = training.get("planned_epochs"), training.get("epochs")
    cut = isinstance(planned, int) and isinstance(epochs, int) and epochs < planned
    whole = ended or training.get("ended") or not cut
    if training and whole and is_tested(folder, _began(folder)):
        return State(Kind.DONE, epochs or 0, float(training["seconds"] or 0))
    return None


def _began(folder: Path) -> Mapping[str, Any]:
    """Return the config that a run began with, nothing where it is damaged or gone."""
    with suppress(UserError):
        return began_with(folder)
    return {}


def _is_changed(job: Job, folder: Path) -> bool:
    """Return whether a run was tested by the command of the job: that class, and its own options.

    So its test of other weights, images or values of a knob counts for nothing here.
    """
    if not (folder / FILE_NAME).is_file():
        return False
    with suppress(UserError):
        return any(
            evaluations.parts(label)[0] == "last" and _is_of(job, evaluation.get("command") or [])
            for label, evaluation in read_results(folder)["evaluations"].items()
        )
    return False


def _is_of(job: Job, command: list[str]) -> bool:
    """Return whether a command is that of a test, wherever the folder of the sweep was then."""
    found, own = argv.items(command[2:]), argv.items(job.words)
    if command[:2] != ["lt", "test"] or [item.flag for item in found[:2]] != ["", "--post_hoc"]:
        return False
    run, change = (str(item.value) for item in found[:2])
    same = Path(run).parts[-2:] == (job.name, job.version) and change == job.post_hoc
    return same and _told(found[2:]) == _told(own)


def _told(items: list[argv.Item]) -> list[tuple[str, str | None]]:
    return [(item.flag, item.value) for item in items]
