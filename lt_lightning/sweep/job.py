"""One run of a sweep: its place, its command, what it waits for."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lt_lightning.errors import Refused

LOGS, SLURM = "logs", "slurm"  # folders in that of a sweep
MEASURED = ".measured"  # hidden, so that */ means the runs
RECORD, PAGE = "sweep.json", "report.html"
RESERVED = (LOGS, SLURM, RECORD, PAGE)
GROUP = "trainer.logger.group"  # of W&B, which is called as the sweep
_EPOCHS = 10**9
_LONGEST = 253  # bytes of a log's name; that of a measured epoch may have two more
ON_HELD_OUT = ("--test_on=held_out",)  # words of a test, where its run is tested so too
# What a sweep gives to each of its runs, and so nobody else.
OWN_KEYS = ("config", "runs", "name", "version", "seed_everything", "ckpt_path")


@dataclass(frozen=True)
class Job:
    """One run, or the test of a finished one under a change without training.

    Attributes:
        name: row, data and ratio.
        version: the seed.
        words: after `lt fit`: configs, options, place; of a test, after its change.
        shared: words that take over what another job has trained.
        needs: the id of the job that must be done before, if any.
        epochs: of its training; none where nothing is trained or nobody knows.
        data: name of its data and ratio, for what an epoch costs.
        post_hoc: the class of the change, of a test.
        of: stands for all that decides what an epoch costs; of a job that was planned now.
        short: options that make one epoch of it, to be measured; of a job that was planned now.
    """

    name: str
    version: str
    words: tuple[str, ...]
    shared: tuple[str, ...] = ()
    needs: str | None = None
    epochs: int | None = None
    data: str = ""
    post_hoc: str | None = None
    of: str = field(default="", compare=False)
    short: tuple[str, ...] = field(default=(), compare=False)

    @property
    def id(self) -> str:
        """What it is known by."""
        changed = f"+{self.post_hoc}" if self.post_hoc else ""
        return f"{self.name}/{self.version}{changed}"

    def folder(self, root: Path) -> Path:
        """Return its run folder, in that of the sweep."""
        return root / self.name / self.version

    def log(self, root: Path) -> Path:
        """Return where its terminal output goes, in the folder of the sweep."""
        return root / LOGS / f"{self.id.replace('/', '-')}.log"

    def as_json(self) -> dict[str, Any]:
        """Return what the record of the sweep holds, for those who look at it later."""
        return {
            "name": self.name,
            "version": self.version,
            "words": list(self.words),
            "shared": list(self.shared),
            "needs": self.needs,
            "epochs": self.epochs,
            "data": self.data,
            "post_hoc": self.post_hoc,
        }


def check_log(job: Job) -> None:
    """Refuse a run whose log could not be written, for its name is too long.

    Raises:
        Refused: if it is.
    """
    size = len(job.log(Path()).name.encode())
    if size > _LONGEST:
        raise Refused(
            f"The log of {job.id[:40]}... would have a name of {size} bytes, and {_LONGEST} is the "
            "most: give its row a shorter `name`, or its data a shorter file."
        )


def is_length(epochs: object) -> bool:
    """Return whether it is a number of epochs; -1 is Lightning's word for no end."""
    return type(epochs) is int and 0 <= epochs < _EPOCHS


def place(root: Path, name: str, version: str) -> tuple[str, ...]:
    """Return the words that give a run its folder in that of the sweep."""
    return ("--runs", str(root), "--name", name, "--version", version)
