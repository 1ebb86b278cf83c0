"""The runs of a sweep on this machine, as many at once as asked."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lt_lightning.runs import folder as run_folder
from lt_lightning.runs import signals, warning
from lt_lightning.runs.files import read_whole
from lt_lightning.sweep.begun import taken_over
from lt_lightning.sweep.board import Board
from lt_lightning.sweep.job import Job
from lt_lightning.sweep.state import Kind, State

LT = (sys.executable, "-m", "lt_lightning")
_PAUSE = 0.5  # seconds between two looks
_PATIENCE = 120.0  # seconds in which a run that is asked to end saves its state
_MOST = 64 * 2**20  # bytes of a log
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Terms:
    """How runs are started.

    Attributes:
        jobs: how many at once.
        nice: added to their niceness.
    """

    jobs: int = 1
    nice: int = 0


def command(job: Job, root: Path) -> list[str]:
    """Return the words after `lt` that begin a run, or go on with it."""
    folder = job.folder(root)
    if job.post_hoc is not None:
        return ["test", str(folder), "--post_hoc", job.post_hoc, *job.words]
    own = run_folder.has_checkpoint(folder) and taken_over(job, root) is not None
    again = ["--ckpt_path", "last"] if own else []
    return ["fit", *job.words, *job.shared, *again]


class Local:
    """Runs as processes of this machine.

    Each gets its share of the processor's threads, unless OMP_NUM_THREADS says otherwise. A run
    that an earlier sweep has left at work, when it was killed, is waited for.

    Args:
        board: the states of the runs.
        terms: how they are started.
        program: the words before those of `lt`.
    """

    def __init__(self, board: Board, terms: Terms, program: Sequence[str] = LT) -> None:
        self._board, self._terms, self._program = board, terms, program
        self._running: dict[str, tuple[Job, subprocess.Popen[bytes]]] = {}

    def run(self, show: Callable[[], None]) -> None:
        """Run all, and call `show` at every look.

        Raises:
            Stopped: if the time of the job is nearly up, after the runs have saved.
        """
        board = self._board
        try:
            while self._running or (board.left() and not board.stuck()):
                if warning.noted():
                    self._end()
                    warning.answer()
                    raise signals.Stopped(signal.SIGUSR1)
                self._collect()
                board.look(self._running)
                while self._free() and (job := board.next()) is not None:
                    self._start(job)
                show()
                time.sleep(_PAUSE)
        finally:
            self._end()

    def _free(self) -> bool:
        kinds = [state.kind for state in self._board.states.values()]
        return kinds.count(Kind.RUNNING) < self._terms.jobs

    def _start(self, job: Job) -> None:
        root = self._board.root
        words, log = command(job, root), job.log(root)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as stream, warning.withheld():
            stream.write(f"$ lt {shlex.join(words)}\n".encode())
            stream.flush()
            process = subprocess.Popen(
                [*self._program, *words],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=environment(self._terms.jobs),
                start_new_session=True,  # Ctrl-C is for the sweep, which asks its runs to end
            )
        if self._terms.nice and sys.platform != "win32":
            os.setpriority(os.PRIO_PROCESS, process.pid, os.nice(0) + self._terms.nice)
        self._running[job.id] = job, process
        self._board.states[job.id] = State(Kind.RUNNING)

    def _collect(self) -> None:
        """Take note of the runs that have ended."""
        for job, process in list(self._running.values()):
            status = process.poll()
            if status is not None:
                del self._running[job.id]
                said = f"status {status}: {last_line(job.log(self._board.root))}"
                self._board.end(job, said if status else None)

    def _end(self) -> None:
        """Ask the runs to end, which they do with a checkpoint; the patient one kills nothing."""
        for _, process in self._running.values():
            process.send_signal(signal.SIGTERM)
        until = time.monotonic() + _PATIENCE
        for _, process in self._running.values():
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()


def environment(jobs: int) -> Mapping[str, str]:
    """Return the environment of a run, one of `jobs` at once."""
    given = dict(os.environ)
    if any(name in given for name in _THREADS):
        return given
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    return {**given, **dict.fromkeys(_THREADS, str(max(1, (cores or 1) // jobs)))}


def last_line(log: Path) -> str:
    """Return the last line that a run has written, or nothing."""
    try:
        lines = read_whole(log, _MOST).splitlines()
    except (OSError, ValueError):
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
