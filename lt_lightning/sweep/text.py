"""What a sweep says on the terminal: its plan, its board, its end."""

import shlex
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from lt_lightning.errors import printable
from lt_lightning.sweep.board import Board
from lt_lightning.sweep.cost import Cost, told
from lt_lightning.sweep.job import Job
from lt_lightning.sweep.local import command
from lt_lightning.sweep.state import Kind

_ORDER = (Kind.DONE, Kind.RUNNING, Kind.INTERRUPTED, Kind.WAITING, Kind.FAILED)


def plan_lines(board: Board, cost: Cost) -> list[str]:
    """Return a table of all runs: state, epochs, cost, and whose first stage is taken over."""
    rows = [("run", "state", "epochs", "about", "takes over")]
    for job in board.record.jobs:
        state = board.states[job.id].kind.value
        epochs = "-" if job.epochs is None else str(job.epochs)
        rows.append((job.id, state, epochs, told(cost.of(job)), job.needs or ""))
    widths = [max(len(row[k]) for row in rows) for k in range(5)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in rows]
    return [*lines, summary(board, cost)]


def summary(board: Board, cost: Cost) -> str:
    """Return one line: how many runs are in which state, and what is left to do."""
    kinds = Counter(state.kind for state in board.states.values())
    counts = ", ".join(f"{kinds[kind]} {kind.value}" for kind in _ORDER if kinds[kind])
    left = [cost.left(job) for job in board.left()]
    known = [seconds for seconds in left if seconds is not None]
    if not left:
        return f"{counts}."
    parts = []
    if sum(known) > 0 or len(known) == len(left):
        parts.append(f"about {told(sum(known))} of work left")
    if len(known) < len(left):
        parts.append(f"{len(left) - len(known)} of unknown cost")
    return f"{counts}; {', '.join(parts)}."


def board_lines(board: Board, cost: Cost) -> list[str]:
    """Return the summary, the runs at work and those that failed."""
    at_work = [job for job in board.record.jobs if board.states[job.id].kind is Kind.RUNNING]
    running = [f"  {running_line(job, board, cost)}" for job in at_work]
    return [summary(board, cost), *running, *failed_lines(board)]


def running_line(job: Job, board: Board, cost: Cost) -> str:
    """Return how far a run at work is."""
    if job.epochs is None:
        return f"{job.id} is at work"
    epochs = board.states[job.id].epochs
    return f"{job.id}: {epochs} of {job.epochs} epochs, about {told(cost.left(job))} left"


def failed_lines(board: Board) -> list[str]:
    """Return one line for each run that failed, and for each that waits for one."""
    lines = []
    for job in board.record.jobs:
        kind = board.states[job.id].kind
        if kind is Kind.FAILED:
            reason = printable(board.record.failed.get(job.id, ""))
            lines.append(f"  {job.id} failed, {reason} (see {job.log(board.root)})")
        elif job.needs and kind is not Kind.DONE:
            if board.states[job.needs].kind is Kind.FAILED:
                lines.append(f"  {job.id} waits for {job.needs}, which failed")
    return lines


def shell_lines(jobs: Sequence[Job], root: Path) -> list[str]:
    """Return the commands of the runs, each as a shell takes it."""
    return [f"lt {shlex.join(command(job, root))}" for job in jobs]


class Screen:
    """The board on a terminal, painted over; elsewhere a line for each run that changes."""

    def __init__(self, board: Board, cost: Cost) -> None:
        self._board, self._cost = board, cost
        self._painted = 0
        self._said = {job: state.kind for job, state in board.states.items()}
        self._write(summary(board, cost) + "\n")

    def show(self) -> None:
        """Show how it stands."""
        if sys.stdout.isatty():
            lines = board_lines(self._board, self._cost)
            back = f"\x1b[{self._painted}F" if self._painted else ""
            self._write(back + "".join(f"\x1b[2K{line}\n" for line in lines) + "\x1b[J")
            self._painted = len(lines)
            return
        for job in self._board.record.jobs:
            kind = self._board.states[job.id].kind
            if self._said[job.id] is not kind:
                self._said[job.id] = kind
                self._write(f"{job.id} is {kind.value}; {summary(self._board, self._cost)}\n")

    @staticmethod
    def _write(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()
