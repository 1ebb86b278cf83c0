"""SIGTERM and Ctrl-C: a training takes note and ends between two steps, all else ends at once."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from lt_lightning.runs import launch, warning

SIGNALS = (signal.SIGTERM, signal.SIGINT)
_PATIENCE = 3.0  # seconds in which a process that leaves is left alone
_SOON = 0.05  # seconds after which nothing of that object is at work any more


class Stopped(SystemExit):
    """The end of a command by a signal: exit status 128 and its number."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.number = number

    @property
    def sentence(self) -> str:
        """What the user is told."""
        name = signal.Signals(self.number).name
        what = "interrupted" if self.number == signal.SIGINT else f"stopped by {name}"
        again = "; the same command goes on"
        goes_on = {"fit": warning.told(self.number), "auto": again, "sweep": again}
        return f"{what}{goes_on.get(''.join(launch.command()[1:2]), '')}."


@dataclass
class _State:
    owner: int = 0  # the process that took the signals; a forked worker has its handlers too
    training: bool = False
    noted: int = 0
    leaving: float | None = None


_state = _State()


@contextmanager
def taken() -> Iterator[None]:
    """Take both signals until the end of the block; in the main thread, where they arrive."""
    global _state
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before, _state = _state, _State(os.getpid())
    handlers = [(number, signal.signal(number, _handle)) for number in SIGNALS]
    try:
        yield
    finally:
        for number, handler in handlers:
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        _state = before


def training(runs: bool) -> None:
    """Say that a training begins, which asks `noted` between its steps, or that it is over."""
    _state.training = runs


def noted() -> int:
    """Return the number of the signal that came, or 0."""
    return _state.noted


def leave(number: int) -> None:
    """End the command.

    Raises:
        Stopped: always.
    """
    _state.noted, _state.leaving = number, time.monotonic()
    raise Stopped(number)


def send_again() -> None:
    """Let the signal come once more: Python dropped what its handler raised.

    It does so while it clears an object away, and in a callback of C.
    """
    _state.leaving = None
    again = threading.Timer(_SOON, _send)
    again.daemon = True
    again.start()


def _send() -> None:
    if _state.noted:  # else the command has come to its end meanwhile, which looks for it
        os.kill(os.getpid(), _state.noted)


def _handle(number: int, frame: FrameType | None) -> None:
    if os.getpid() != _state.owner:
        if number == signal.SIGTERM:  # Ctrl-C is for its parent, which ends it
            _end_as_ever(number)
    elif _state.leaving is not None:  # the same key once more; or something hangs on the way out
        if time.monotonic() - _state.leaving > _PATIENCE:
            _end_as_ever(number)
    elif _state.training and not _state.noted:
        _state.noted = number
    else:
        leave(number)


def _end_as_ever(number: int) -> None:
    """End the process as the signal does where nobody takes it."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
