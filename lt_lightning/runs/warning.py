"""SIGUSR1, by which SLURM tells a job that its time is nearly up; taken from the first line on.

It ends a process that has not taken it, as one that still imports torch. So it is only noted: a
training saves and asks for the restart of its job after the step at work, or after its first one;
a command that trains nothing has nothing to save and asks at once.
"""

import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from lt_lightning.runs import folder as run_folder
from lt_lightning.runs import launch

log = logging.getLogger("lt_lightning")
_TRAIN = ("fit", "auto", "sweep")


@dataclass
class _State:
    owner: int = 0  # the process that took the signal; a forked worker has its handler too
    trains: bool = True
    noted: bool = False
    requeued: bool = False
    stepped: bool = False  # whether the job has trained on by a step
    late: bool = False  # whether it was ended before a step could answer


_state = _State()


@contextmanager
def taken(arguments: Sequence[str] = _TRAIN, to_the_end: bool = False) -> Iterator[None]:
    """Take the signal in a job of SLURM until the end of the block; within another, do nothing.

    Args:
        arguments: the words of the command, the first of which says whether it trains.
        to_the_end: whether the process ends behind the block: what would end it is ignored there.
    """
    global _state
    in_main = threading.current_thread() is threading.main_thread()
    if is_taken() or "SLURM_JOB_ID" not in os.environ or not in_main:
        yield
        return
    before, _state = _state, _State(os.getpid(), [*arguments, ""][0] in _TRAIN)
    handler = signal.signal(signal.SIGUSR1, _note)
    try:
        yield
    finally:
        given_back = signal.SIG_DFL if handler is None else handler
        # It takes seconds to leave torch, in which a finished run would be counted as failed.
        ends = to_the_end and given_back == signal.SIG_DFL
        signal.signal(signal.SIGUSR1, signal.SIG_IGN if ends else given_back)
        _state = before


@contextmanager
def withheld() -> Iterator[None]:
    """Keep the signal, and the SIGUSR2 of others, from the processes that are started in the block.

    SLURM sends it to all processes of a job; who starts others answers for them, and once. They
    inherit what is blocked; what comes meanwhile comes at the end of the block.
    """
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGUSR1, signal.SIGUSR2))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def is_taken() -> bool:
    """Return whether this process has taken the signal."""
    return _state.owner == os.getpid()


def noted() -> bool:
    """Return whether the signal came and was not answered."""
    return _state.noted


def stepped() -> None:
    """Note that a step of the training has ended."""
    _state.stepped = True


def ended(number: int) -> None:
    """Ask for the restart of a job that was warned and is ended before a step could answer.

    Not where it was started again before and has not come to a step: it would never come to one.

    Args:
        number: of the signal that ends it.
    """
    if not (is_taken() and _state.noted and number == signal.SIGTERM):
        return
    _state.late = True
    if _state.stepped or launch.restarts() == 0:
        answer()


def answer() -> None:
    """Ask SLURM to start the job again, from the first process; what is to be saved is."""
    _state.noted, _state.requeued = False, True
    if launch.is_first():
        _state.requeued = _requeue(launch.slurm_job())


def _requeue(job: str | None) -> bool:
    """Ask for the restart of a job, and return whether it is granted."""
    if job is None:
        log.warning("The time is nearly up, and SLURM does not start an interactive job again.")
        return False
    command = shutil.which("scontrol")
    done = None if command is None else subprocess.run([command, "requeue", job], check=False)
    if done is None or done.returncode != 0:
        log.warning("Job %s could not be requeued: `scontrol requeue %s` failed.", job, job)
        return False
    log.info("The time is nearly up: job %s is requeued.", job)
    return True


def told(number: int) -> str:
    """Return how a training that the signal `number` ended goes on."""
    goes_on = f"; {run_folder.goes_on()}"
    if _state.requeued:
        goes_on = "; its job is requeued and goes on by itself"
    elif launch.slurm_job() is None or number != signal.SIGTERM:
        return goes_on
    if _state.noted or _state.late:
        return (
            f"{goes_on}: the warning came before a step could end, give it more time by a larger "
            "number in #SBATCH --signal=SIGUSR1@90"
        )
    if _state.requeued:
        return goes_on
    return (
        f"{goes_on}, and by #SBATCH --signal=SIGUSR1@90 --requeue, without B:, the next job would "
        "go on by itself"
    )


def _note(number: int, frame: FrameType | None) -> None:
    if os.getpid() != _state.owner or _state.requeued:
        return
    _state.noted = True
    if not _state.trains:
        threading.Thread(target=answer).start()  # a handler may not write to a log
