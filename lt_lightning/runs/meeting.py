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
from collections.abc import Iterator
from contextlib import contextmanager

from lightning.pytorch import Trainer
from lightning.pytorch.strategies import ParallelStrategy

from lt_lightning.runs.signals import SIGNALS, Stopped

log = logging.getLogger("lt_lightning")
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
    words = reading, over, strategy, f"{world} processes on {nodes} nodes"
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
    said, place, launcher = False, strategy.cluster_environment, strategy.launcher
    while not over.is_set():
        ready, _, _ = select.select([reading], [], [], None if said else _PATIENCE)
        if not ready:
            said = True
            if place is not None:
                where = f"{place.main_address}:{place.main_port}"
                log.warning("Waiting at %s for the others: %s take part.", where, who)
            continue
        number = next((n for n in os.read(reading, 16) if n in SIGNALS), None)
        if number is not None and not over.is_set():
            if launcher is not None:
                launcher.kill(signal.Signals(number))
            sys.stderr.write(f"lt: {Stopped(number).sentence}\n")
            sys.stderr.flush()
            os._exit(128 + number)  # the main thread is in C++ and hears nothing
