"""The states of all runs of a sweep, and which can be started."""

from pathlib import Path

from lt_lightning.sweep.job import Job
from lt_lightning.sweep.record import Record
from lt_lightning.sweep.state import Kind, State, state_of

_IDLE = (Kind.WAITING, Kind.INTERRUPTED)
_OVER = (Kind.DONE, Kind.FAILED)


class Board:
    """The states of all runs, looked at anew where something may have changed."""

    def __init__(self, record: Record, root: Path) -> None:
        self.record, self.root = record, root
        self.states: dict[str, State] = {}
        self.look()

    def look(self) -> None:
        """Look at every run that is not done."""
        for job in self.record.jobs:
            if self._kind(job.id) is not Kind.DONE:
                ended = job.id in self.record.ended
                state = state_of(job, self.root, ended)
                failed = job.id in self.record.failed and state.kind in _IDLE
                self.states[job.id] = State(Kind.FAILED, state.epochs) if failed else state

    def _kind(self, job: str) -> Kind | None:
        return self.states[job].kind if job in self.states else None

    def next(self) -> Job | None:
        """Return the first run that can be started now, or none."""
        return next((job for job in self.record.jobs if self._can_start(job)), None)

    def _can_start(self, job: Job) -> bool:
        if self._kind(job.id) not in _IDLE or self._is_occupied(job):
            return False
        return job.needs is None or self._kind(job.needs) is Kind.DONE

    def _is_occupied(self, job: Job) -> bool:
        """Return whether a test of the same run is at work; its folder is for one command."""
        same = (
            other for other in self.record.jobs if other.folder(self.root) == job.folder(self.root)
        )
        return any(self._kind(other.id) is Kind.RUNNING for other in same)

    def left(self) -> list[Job]:
        """Return the runs that neither ended nor failed."""
        return [job for job in self.record.jobs if self._kind(job.id) not in _OVER]

    def stuck(self) -> bool:
        """Return whether all that is left waits for a run that failed."""
        running = any(state.kind is Kind.RUNNING for state in self.states.values())
        return not running and self.next() is None
