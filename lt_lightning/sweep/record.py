"""sweep.json: the plan of a sweep, and which of its runs failed."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lt_lightning import __version__
from lt_lightning.errors import UserError
from lt_lightning.runs import record_file
from lt_lightning.sweep.job import RECORD as FILE_NAME
from lt_lightning.sweep.job import Job
from lt_lightning.sweep.kept import jobs_of

_SCHEMA = 1
_LONGEST = 1e9  # seconds of an epoch, 30 years


@dataclass
class Record:
    """What a sweep remembers.

    Attributes:
        asked: the groups, as a text; the same text has the same plan.
        jobs: the runs in their order.
        ended: ids of runs that ended by themselves, if only by max_time or early stopping.
        failed: the last line of runs that failed, by their ids.
        epoch_seconds: what one epoch was measured to take, by data and ratio.
    """

    asked: str
    jobs: list[Job]
    ended: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    epoch_seconds: dict[str, float] = field(default_factory=dict)

    def write(self, root: Path) -> None:
        """Write it into the folder of the sweep, whole or not at all."""
        content = {
            "version": __version__,
            "asked": self.asked,
            "jobs": [job.as_json() for job in self.jobs],
            "ended": sorted(self.ended),
            "failed": self.failed,
            "epoch_seconds": self.epoch_seconds,
        }
        again = "start the sweep again, it goes on"
        record_file.write_record(root / FILE_NAME, _SCHEMA, content, again, indent=1)


def read_record(root: Path) -> Record | None:
    """Return the record in a folder, or none where there is no sweep.

    Raises:
        UserError: if it is damaged.
    """
    again = "delete it and start the sweep again; its runs stay"
    return record_file.read_record(
        root / FILE_NAME, _SCHEMA, lambda content: _parsed(content, root), again
    )


def _parsed(content: dict[str, Any], root: Path) -> Record:
    return Record(
        str(content["asked"]),
        jobs_of(content["jobs"], root),
        set(map(str, content["ended"])),
        {str(key): str(value) for key, value in content["failed"].items()},
        {str(key): _seconds(value) for key, value in content["epoch_seconds"].items()},
    )


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not 0 <= float(value) < _LONGEST:
        raise ValueError(f"an epoch took {str(value)[:40]!r} seconds")
    return float(value)


def merged(before: Record | None, asked: str, jobs: Iterable[Job], begun: set[str]) -> Record:
    """Return the record of a new plan over that of an earlier one.

    A run that has begun stays as it began, also where the new plan would share its first stage.

    Args:
        before: the earlier record, if any.
        asked: the groups as a text.
        jobs: the new plan.
        begun: ids of runs that have a folder.

    Raises:
        UserError: if a run has begun with other options.
    """
    if before is None:
        return Record(asked, list(jobs))
    known = {job.id: job for job in before.jobs}
    found = []
    for job in jobs:
        old = known.get(job.id)
        if old is not None and job.id in begun:
            if old.words != job.words:
                raise UserError(
                    f"The run {job.id} has begun with other options: give the sweep another "
                    "--name, or the row another name."
                )
            job = old
        found.append(job)
    ids = {job.id for job in found}
    failed = {key: value for key, value in before.failed.items() if key in ids}
    return Record(asked, found, before.ended & ids, failed, before.epoch_seconds)
