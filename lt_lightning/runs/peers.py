"""Whether the other processes of a run are there: each says so every second, in a thread.

A process that died or was stopped leaves the others waiting in C++ for as long as the network
layer lets them, and then they know neither which it was nor where it ran. Here the first process
hears all others and all others hear the first; who is silent for too long is named, and the others
end. Nobody is judged who could not be heard from the beginning, as behind a firewall.
"""

import os
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener, wait
from typing import Any, Protocol

from lt_lightning.runs import folder as run_folder
from lt_lightning.runs import launch

VARIABLE = "LT_LOST_AFTER"  # seconds of silence
_USUAL = 180.0
_BEAT = 1.0  # seconds
_LOOK = _BEAT / 10  # between two looks whether this process leaves
_QUIET = 3 * _BEAT  # of a process whose connection broke
_HERE = ("127.0.0.1", "localhost")
_LEFT, _LOST = "left", "lost "
_at_work: "Peers | None" = None
Place = tuple[int, bytes]  # the port and the key of the first process


class Launcher(Protocol):
    """What started other processes of the run."""

    def kill(self, signum: signal.Signals) -> None:
        """Send a signal to them."""


def patience() -> float:
    """Return the seconds of silence after which a process counts as lost; 0 stands for never."""
    return float(os.environ.get(VARIABLE) or _USUAL) or float("inf")


def leave() -> None:
    """End the hearing at the end of a command, however it ended: the process may live on."""
    global _at_work
    if _at_work is not None:
        _at_work.stop()
        _at_work = None


def gone() -> str:
    """Return which process of the run has just fallen silent, or nothing where that is not known.

    It takes up to a second: for the end of a run whose connection broke.
    """
    return "" if _at_work is None else _at_work.gone()


class Peers:
    """The beats of this process, and its ear for the others.

    Args:
        rank: of this process.
        world: number of processes.
        share: gives what the first process has to all of them.
        host: name or address of the first process's machine.
        launcher: of the processes that this one started, if any.
    """

    def __init__(
        self,
        rank: int,
        world: int,
        share: Callable[[Place | None], Place],
        host: str,
        launcher: Launcher | None,
    ) -> None:
        self.rank, self.world, self._launcher = rank, world, launcher
        self._at, self._verdict = "before its first step", ""
        self._heard: dict[int, str] = {}
        self._silent: dict[int, float] = {}
        self._over = threading.Event()
        if rank == 0:
            key = secrets.token_bytes(16)
            bound = host if host in _HERE else ""
            listener = Listener((bound, 0), "AF_INET", backlog=world, authkey=key)
            share((listener.address[1], key))
            self._ear = _thread(self._hear_all, listener)
        else:
            port, key = share(None)
            self._ear = _thread(self._hear_first, (host, port), key)

    def start(self) -> None:
        """Begin to listen."""
        global _at_work
        _at_work = self
        self._ear.start()
        _thread(self._judge).start()

    def note(self, epoch: int, step: int) -> None:
        """Take note of where the training is.

        Args:
            epoch: from 0.
            step: of the optimizer.
        """
        self._at = f"in epoch {epoch + 1}, step {step}"

    def stop(self) -> None:
        """Say that this process needs nobody any more, and nobody needs it."""
        self._over.set()
        self._ear.join(_QUIET)

    def gone(self) -> str:
        """Return who has just fallen silent, as far as it is heard here within a second."""
        # Lightning kills the first process within seconds where one that it started has died.
        until = time.monotonic() + _BEAT
        while not self._over.is_set() and time.monotonic() < until:
            quiet = [k for k, seconds in self._silent.items() if seconds >= _QUIET]
            if quiet:
                return ", ".join(self._heard[k] for k in quiet)
            time.sleep(_LOOK)
        return ""

    def _beat(self) -> bytes:
        if self._over.is_set():
            return _LEFT.encode()
        where = f"process {self.rank} of {self.world} on {socket.gethostname()}"
        return f"{where} (last heard of {self._at})".encode()

    def _hear_all(self, listener: Listener) -> None:
        connections: dict[Connection, int] = {}
        _thread(self._accept, listener, connections).start()
        told, over = 0.0, False
        while not over:
            over = self._over.wait(0 if connections else _LOOK)
            for one in wait(list(connections), 0 if over else _LOOK):
                assert isinstance(one, Connection)
                self._take(one, connections)
            if over or self._verdict or time.monotonic() - told >= _BEAT:
                told = time.monotonic()
                said = f"{_LOST}{self._verdict}".encode() if self._verdict else self._beat()
                for one in list(connections):
                    with suppress(OSError):
                        one.send_bytes(said)
        listener.close()

    def _accept(self, listener: Listener, connections: dict[Connection, int]) -> None:
        while len(connections) < self.world - 1 and not self._over.is_set():
            # Whoever else calls at this port does not know the key, or not even the words.
            with suppress(EOFError, OSError, AuthenticationError):
                connections[listener.accept()] = 0

    def _take(self, one: Connection, connections: dict[Connection, int]) -> None:
        try:
            rank, _, text = one.recv_bytes().decode().partition(" ")
        except (EOFError, OSError):
            self._broke(connections.pop(one))
            return
        connections[one] = int(rank)
        self._heard[int(rank)], self._silent[int(rank)] = text, 0.0

    def _broke(self, rank: int) -> None:
        """Take note that a connection ended: a process that said no farewell has just died."""
        if self._heard.get(rank, _LEFT) != _LEFT:
            self._silent[rank] = max(self._silent[rank], _QUIET)

    def _hear_first(self, place: tuple[str, int], key: bytes) -> None:
        try:
            with Client(place, authkey=key) as first:
                over = False
                while not over:
                    over = self._over.is_set()
                    first.send_bytes(f"{self.rank} ".encode() + self._beat())
                    self._listen(first)
        except (EOFError, OSError, AuthenticationError):
            self._broke(0)

    def _listen(self, first: Connection) -> None:
        """Hear the first process for a beat, or until this one leaves."""
        until = time.monotonic() + _BEAT
        while time.monotonic() < until and not self._over.is_set():
            if first.poll(_LOOK):
                text = first.recv_bytes().decode()
                self._silent[0] = 0.0
                if text.startswith(_LOST):
                    self._verdict = text.removeprefix(_LOST)
                else:
                    self._heard[0] = text

    def _judge(self) -> None:
        before = time.monotonic()
        while not self._over.wait(_BEAT):
            # A machine that was suspended as a whole has heard nobody, and is not to blame others.
            now = time.monotonic()
            passed, before = min(now - before, _QUIET), now
            for other in list(self._silent):
                self._silent[other] += 0.0 if self._heard[other] == _LEFT else passed
            lost = [k for k, seconds in self._silent.items() if seconds > patience()]
            if (lost or self._verdict) and not self._over.is_set():
                self._end(self._verdict or ", ".join(self._heard[k] for k in lost))

    def _end(self, who: str) -> None:
        """Tell it on one process, and end this one, whose main thread may wait for ever."""
        if self.rank == 0 or (self.rank == 1 and who.startswith("process 0 ")):
            goes_on = f"; {run_folder.goes_on()}" if launch.command()[1:2] == ["fit"] else ""
            told = f"nothing was heard for {patience():g} s ({VARIABLE}) of {who}"
            sys.stderr.write(f"lt: {told}{goes_on}.\n")
            sys.stderr.flush()
        if self.rank == 0:
            self._verdict = who
            time.sleep(_QUIET)  # the others are told
        if self._launcher is not None:
            self._launcher.kill(signal.SIGKILL)  # one that is stopped hears nothing else
        os._exit(1)


def _thread(target: Callable[..., None], *words: Any) -> threading.Thread:
    return threading.Thread(target=target, args=words, daemon=True)
