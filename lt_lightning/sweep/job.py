"""One run of a sweep: its place, its command, what it waits for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Job:
    """One run, or the test of a finished one under a change without training.

    Attributes:
        name: row, data and ratio.
        version: the seed.
        words: after `lt fit`: configs, options, place.
        shared: words that take over what another job has trained.
        needs: the id of the job that must be done before, if any.
        epochs: of its training; none where nothing is trained or nobody knows.
        data: name of its data and ratio, for what an epoch costs.
        post_hoc: the class of the change, of a test.
    """

    name: str
    version: str
    words: tuple[str, ...]
    shared: tuple[str, ...] = ()
    needs: str | None = None
    epochs: int | None = None
    data: str = ""
    post_hoc: str | None = None

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
        return root / "logs" / f"{self.id.replace('/', '-')}.log"

    def as_json(self) -> dict[str, Any]:
        """Return what the record of the sweep holds."""
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

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Job":
        """Return the job of a record.

        Raises:
            KeyError, TypeError: if it is not what `as_json` wrote.
        """
        return cls(
            name=str(content["name"]),
            version=str(content["version"]),
            words=tuple(map(str, content["words"])),
            shared=tuple(map(str, content["shared"])),
            needs=content["needs"],
            epochs=content["epochs"],
            data=str(content["data"]),
            post_hoc=content["post_hoc"],
        )
