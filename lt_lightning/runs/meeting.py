"""The wait in which the processes of a run find each other: it is told, and a signal ends it.

Torch waits in C++, where Python hears of no signal: a process whose partners nobody started could
only be killed, and did not say what it waited for.
"""

import logging
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from lightning.pytorch import Trainer
from lightning.pytorch.strategies import ParallelStrategy
from lightning.pytorch.strategies.launchers import _SubprocessScriptLauncher

from lt_lightning.runs.folder import goes_on
from lt_lightning.runs.signals import SIGNALS, Stopped

log = logging.getLogger("lt_lightning")
_LOOK = 0.1  # seconds between two looks
_PATIENCE = 30.0  # seconds after which it is told; a slow machine imports torch that long


def tell(trainer: Trainer) -> None:
    """Let a trainer of several processes tell what it waits for, and hear signals meanwhile."""
    strategy = trainer.strategy
    if trainer.world_size == 1 or not isinstance(strategy, ParallelStrategy):
        return
    meet = strategy.setup_environment

    def setup_environment() -> None:
        with _watched(strategy, trainer.world_size, trainer.num_nodes):
            meet()

    strategy.setup_environment = setup_environment  # type: ignore[method-assign]


@contextmanager
def _watched(strategy: ParallelStrategy, world: int, nodes: int) -> Iterator[None]:
    """Watch over a block in which this process waits for the others, in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reading, writing = os.pipe()
    for end in (reading, writing):
        os.set_blocking(end, False)
    before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    over = threading.Event()
    words = reading, over, strategy, f"{world} processes on {nodes} node{'s' if nodes > 1 else ''}"
    thread = threading.Thread(target=_watch, args=words, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        signal.set_wakeup_fd(before)
        os.close(writing)  # which wakes the thread
        thread.join()
        os.close(reading)


def _watch(reading: int, over: threading.Event, strategy: ParallelStrategy, who: str) -> None:
    said, began, launcher = False, time.monotonic(), strategy.launcher
    while not over.is_set():
        ready, _, _ = select.select([reading], [], [], _LOOK)
        if ready:
            number = next((n for n in os.read(reading, 16) if n in SIGNALS), None)
            if number is not None and not over.is_set():
                if launcher is not None:
                    launcher.kill(signal.Signals(number))
                _leave(Stopped(number).sentence, 128 + number)
            continue
        if isinstance(launcher, _SubprocessScriptLauncher) and not over.is_set():
            _leave_with_others(launcher)
        if not said and time.monotonic() - began > _PATIENCE:
            said = True
            _tell(strategy, who)


def _tell(strategy: ParallelStrategy, who: str) -> None:
    place = strategy.cluster_environment
    if place is not None:
        where = f"{place.main_address}:{place.main_port}"
        log.warning("Waiting at %s for the others: %s take part.", where, who)


def _leave_with_others(launcher: _SubprocessScriptLauncher) -> None:
    """End this process where one that it started has ended, in whatever way.

    Lightning looks each five seconds and kills this process without a word; one that was stopped by
    a signal it takes for a success, and this one would wait for it.
    """
    for rank, process in enumerate(launcher.procs, 1):
        status = process.poll()
        if status is None:
            continue
        launcher.kill(signal.SIGTERM)
        number = _signal_of(status)
        how = f"was stopped by {signal.Signals(number).name}" if number else "ended"
        sentence = f"process {rank} of the run {how} before it met the others; {goes_on()}."
        _leave(sentence, 128 + number if number else 1)


def _signal_of(status: int) -> int:
    """Return the number of the signal that a process ended by, or 0."""
    found = -status if status < 0 else status - 128
    return found if found in SIGNALS else 0


def _leave(sentence: str, status: int) -> None:
    """End this process from a thread of it, for the main one is in C++ and hears nothing."""
    sys.stderr.write(f"lt: {sentence}\n")
    sys.stderr.flush()
    os._exit(status)
