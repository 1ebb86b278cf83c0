"""The states of all runs of a sweep, and which can be started."""

from collections.abc import Container
from pathlib import Path

from lt_lightning.runs import lock
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
        self._alike: dict[Path, list[Job]] = {}
        for job in record.jobs:
            self._alike.setdefault(job.folder(root), []).append(job)
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
        record, found = self.record, self._at_work(job, state_of(job, self.root, True))
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
        found = self._at_work(job, found)
        failed = job.id in self.record.failed and found.kind in _IDLE
        return State(Kind.FAILED, found.epochs) if failed else found

    def _at_work(self, job: Job, found: State) -> State:
        """Return the state of a test, of which an earlier sweep may have left a process.

        The folder of a run that is done is locked by a test alone, and the first that is not done
        was begun first.
        """
        if job.needs is None or job.post_hoc is None or found.kind is not Kind.WAITING:
            return found
        others = [other for other in self.alike(job) if other.id != job.id]
        busy = any(self._is(other, Kind.RUNNING) for other in others)
        left = self._kind(job.needs) is Kind.DONE and lock.is_held(job.folder(self.root))
        return State(Kind.RUNNING) if left and not busy else found

    def alike(self, job: Job) -> list[Job]:
        """Return the run and the tests of the folder of a job, which is for one command at once."""
        return self._alike[job.folder(self.root)]

    def _is(self, job: Job, kind: Kind) -> bool:
        return job.id in self.states and self._kind(job.id) is kind

    def _kind(self, job: str) -> Kind:
        return self.states[job].kind

    def next(self) -> Job | None:
        """Return the first run that can be started now, or none."""
        return next((job for job in self.record.jobs if self._can_start(job)), None)

    def _can_start(self, job: Job) -> bool:
        busy = any(self._is(other, Kind.RUNNING) for other in self.alike(job))
        if self._kind(job.id) not in _IDLE or busy:
            return False
        return job.needs is None or self._kind(job.needs) is Kind.DONE

    def left(self) -> list[Job]:
        """Return the runs that neither ended nor failed."""
        return [job for job in self.record.jobs if self._kind(job.id) not in _OVER]

    def stuck(self) -> bool:
        """Return whether all that is left waits for a run that failed."""
        running = any(state.kind is Kind.RUNNING for state in self.states.values())
        return not running and self.next() is None
