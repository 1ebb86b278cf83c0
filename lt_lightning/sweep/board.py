"""The states of all runs of a sweep, and which can be started."""

from collections.abc import Container
from pathlib import Path

from lt_lightning.sweep.job import Job
from lt_lightning.sweep.record import Record
from lt_lightning.sweep.state import Kind, State, state_of

_IDLE = (Kind.WAITING, Kind.INTERRUPTED)
_OVER = (Kind.DONE, Kind.FAILED)


class Board:
    """What each run of a sweep is doing.

    Args:
        record: the plan.
        root: the folder of the sweep.
    """

    def __init__(self, record: Record, root: Path) -> None:
        self.record, self.root = record, root
        self.states: dict[str, State] = {}
        for job in record.jobs:  # what one needs stands before it
            self.states[job.id] = self._looked(job)

    def look(self, own: Container[str] = ()) -> None:
        """Look again at the runs at work; all others stay as they are.

        Args:
            own: ids of those that have a process of ours, and so are at work whatever they show.
        """
        for job in self.record.jobs:
            if self._kind(job.id) is Kind.RUNNING:
                found = self._looked(job)
                at_work = State(Kind.RUNNING, found.epochs)
                self.states[job.id] = at_work if job.id in own else found

    def end(self, job: Job, failure: str | None) -> None:
        """Take note of a run whose process has ended, and of how it failed, if it did."""
        record, found = self.record, state_of(job, self.root, True)
        if found.kind is Kind.RUNNING:
            pass  # by what an earlier sweep has left at work; ours was refused
        elif failure is None and found.kind is Kind.DONE:
            if job.post_hoc is None:
                record.ended.add(job.id)
        else:
            record.failed[job.id] = failure or "it ended without a result"
            found = State(Kind.FAILED, found.epochs)
        self.states[job.id] = found
        record.write(self.root)

    def _looked(self, job: Job) -> State:
        found = state_of(job, self.root, job.id in self.record.ended)
        if job.post_hoc and job.needs and self._kind(job.needs) is not Kind.DONE:
            found = State(Kind.WAITING)  # what was tested are other weights
        failed = job.id in self.record.failed and found.kind in _IDLE
        return State(Kind.FAILED, found.epochs) if failed else found

    def _kind(self, job: str) -> Kind:
        return self.states[job].kind

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
