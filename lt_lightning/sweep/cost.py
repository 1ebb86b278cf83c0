"""What runs cost, as far as others were measured, and how long one at work still takes."""

import subprocess
import sys
import time
from pathlib import Path

from lt_lightning.errors import UserError
from lt_lightning.runs import argv, warning
from lt_lightning.runs.results import read_results
from lt_lightning.sweep.board import Board
from lt_lightning.sweep.job import LOGS, MEASURED, Job
from lt_lightning.sweep.local import LT, environment, last_line
from lt_lightning.sweep.record import Measured, Record, firsts
from lt_lightning.sweep.state import Kind

_LOGGER = "trainer.logger"  # which may be far away: a measurement is no run of the user's
_MINUTE, _HOUR = 60.0, 3600.0


class Cost:
    """Seconds of runs.

    An epoch costs what it did in another seed of the run; else what one was measured to cost on
    the same data.

    Args:
        board: the states of all runs.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self._seen: dict[str, tuple[float, int]] = {}  # when a run at work was first looked at

    def of(self, job: Job) -> float | None:
        """Return the seconds of a whole run, or none where nobody knows."""
        if job.epochs is None:
            return 0.0 if job.post_hoc else None
        epoch = self._epoch(job)
        return None if epoch is None else epoch * job.epochs

    def left(self, job: Job) -> float | None:
        """Return the seconds that a run still takes."""
        state = self._board.states[job.id]
        if job.epochs is None:
            return self.of(job)
        epoch = self._own(job) or self._epoch(job)
        return None if epoch is None else epoch * max(0, job.epochs - state.epochs)

    def _own(self, job: Job) -> float | None:
        """Return the seconds of an epoch as a run at work shows them."""
        state = self._board.states[job.id]
        if state.kind is not Kind.RUNNING:
            self._seen.pop(job.id, None)
            return None
        now = time.monotonic()
        began, epochs = self._seen.setdefault(job.id, (now, state.epochs))
        return (now - began) / (state.epochs - epochs) if state.epochs > epochs else None

    def _epoch(self, job: Job) -> float | None:
        found = []
        for other in self._board.record.jobs:
            state = self._board.states[other.id]
            if state.seconds and state.epochs and other.name == job.name:
                found.append(state.seconds / state.epochs)
        if found:
            return sum(found) / len(found)
        measured = self._board.record.epoch_seconds.get(job.data)
        return None if measured is None else measured.seconds


def measure(record: Record, root: Path, nice: int = 0, kept: Record | None = None) -> None:
    """Train one epoch on each data of a plan that was not measured, and keep what it took.

    Args:
        record: the plan.
        root: the folder of the sweep.
        nice: added to the niceness of the training.
        kept: what is written, where that is the record of another plan.

    Raises:
        UserError: if none of the runs on some data can be trained; with its last line.
    """
    kept = kept or record
    for data, first in firsts(record.jobs).items():
        if data in record.epoch_seconds:
            continue
        folder, log = root / MEASURED, root / LOGS / f"{MEASURED}-{data}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        own, _ = argv.apart(first.words[: first.words.index("--runs")], _LOGGER)
        place = ["--runs", str(folder), "--name", data or "epoch", "--version", str(time.time_ns())]
        with log.open("wb") as stream, warning.withheld():  # a measurement is not requeued
            status = subprocess.call(
                [*_niced(nice), *LT, "fit", *own, *first.short, f"--{_LOGGER}=null", *place],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=environment(1),
            )
        if status:
            raise UserError(f"One epoch of {first.id} could not be measured: {last_line(log)}")
        training = read_results(folder / place[3] / place[5])["training"]
        whole = training["seconds"]
        if whole is None:
            raise UserError(f"One epoch of {first.id} was not measured, it has no step: see {log}.")
        seconds = float(whole) / max(1, training["epochs"] or 0)  # one of each stage
        record.epoch_seconds[data] = kept.epoch_seconds[data] = Measured(seconds, first.of)
        kept.write(root)


def _niced(nice: int) -> list[str]:
    """Return the words before a command that lower its priority."""
    return ["nice", "-n", str(nice)] if nice and sys.platform != "win32" else []


def told(seconds: float | None) -> str:
    """Return a duration, as "1 h 02 min", "34 min" or "20 s"; a dash where it is not known."""
    if seconds is None:
        return "-"
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    minutes = round(seconds / _MINUTE)
    return f"{minutes // 60} h {minutes % 60:02d} min" if seconds >= _HOUR else f"{minutes} min"
