"""sweep.json: of a sweep what neither the words that ask for it nor its run folders can tell."""

import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from lt_lightning import __version__
from lt_lightning.runs import record_file
from lt_lightning.sweep.job import RECORD as FILE_NAME
from lt_lightning.sweep.job import Job
from lt_lightning.sweep.kept import jobs_of

T = TypeVar("T")
_SCHEMA = 2
_LONGEST = 1e9  # seconds of an epoch, 30 years


@dataclass(frozen=True)
class Measured:
    """What one epoch was measured to take.

    Attributes:
        seconds: of the epoch.
        of: stands for what was trained, as `Job.of`.
    """

    seconds: float
    of: str


@dataclass(frozen=True)
class Submitted:
    """A job of a scheduler.

    Attributes:
        number: that it has there.
        of: stands for the words of the run.
    """

    number: str
    of: str


@dataclass
class Record:
    """What a sweep remembers.

    Attributes:
        jobs: the runs in their order, as planned last, for --status.
        ended: ids of runs that ended by themselves, if only by max_time or early stopping; for
            those whose results do not tell, as of earlier versions.
        failed: the last line of runs that failed, by their ids.
        epoch_seconds: what one epoch of the first run on some data took, by data and ratio.
        submitted: the last job of a scheduler for a run, by its id, the latest last.
        asked: stands for what the runs were planned from.
    """

    jobs: list[Job]
    ended: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    epoch_seconds: dict[str, Measured] = field(default_factory=dict)
    submitted: dict[str, Submitted] = field(default_factory=dict)
    asked: str = ""

    def write(self, root: Path) -> None:
        """Write it into the folder of the sweep, whole or not at all."""
        content = {
            "version": __version__,
            "asked": self.asked,
            "jobs": [job.as_json() for job in self.jobs],
            "ended": sorted(self.ended),
            "failed": self.failed,
            "epoch_seconds": {data: asdict(found) for data, found in self.epoch_seconds.items()},
            "submitted": {run: asdict(found) for run, found in self.submitted.items()},
        }
        again = "start the sweep again, it goes on"
        record_file.write_record(root / FILE_NAME, _SCHEMA, content, again, indent=1)


def read_record(root: Path) -> Record | None:
    """Return the record in a folder, or none where there is no sweep.

    Raises:
        UserError: if it is damaged.
    """
    again = "delete it and start the sweep again, after scancel of its jobs if any; its runs stay"
    return record_file.read_record(
        root / FILE_NAME, _SCHEMA, lambda content: _parsed(content, root), again
    )


def _parsed(content: dict[str, Any], root: Path) -> Record:
    return Record(
        jobs_of(content["jobs"], root),
        set(map(str, content["ended"])),
        {str(key): str(value) for key, value in content["failed"].items()},
        _known(content["epoch_seconds"], _measured),
        _known(content["submitted"], _submitted),
        str(content.get("asked", "")),  # earlier versions did not write it
    )


def _known(content: dict[str, Any], parse: Callable[[Any], T]) -> dict[str, T]:
    return {str(key): parse(value) for key, value in content.items()}


def _measured(value: Any) -> Measured:
    seconds = value["seconds"]
    if type(seconds) not in (int, float) or not 0 <= seconds < _LONGEST:
        raise ValueError(f"an epoch took {str(seconds)[:40]!r} seconds")
    return Measured(float(seconds), str(value["of"]))


def _submitted(value: Any) -> Submitted:
    number = value["number"]
    if not isinstance(number, str) or not number.isprintable():
        raise ValueError(f"the number of a job is {str(number)[:40]!r}")
    return Submitted(number, str(value["of"]))


def firsts(jobs: Iterable[Job]) -> dict[str, Job]:
    """Return the first run on each data and ratio that begins by itself."""
    found: dict[str, Job] = {}
    for job in jobs:
        if job.needs is None:
            found.setdefault(job.data, job)
    return found


def renewed(before: Record | None, jobs: list[Job], root: Path, asked: str = "") -> Record:
    """Return the record of a new plan, with what is still true of the earlier one.

    Args:
        before: the earlier record, if any.
        jobs: the new plan.
        root: the folder of the sweep.
        asked: stands for what the plan was made from.
    """
    if before is None:
        return Record(jobs, asked=asked)
    first = firsts(jobs)
    return Record(
        jobs,
        {run for run in before.ended if os.path.isdir(root / run)},  # of any text, too long a one
        before.failed,
        {
            data: measured
            for data, measured in before.epoch_seconds.items()
            if data not in first or first[data].of == measured.of
        },
        before.submitted,
        asked,
    )
