"""metrics.csv: one row per epoch, kept whole where a run is resumed."""

from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

from lt_lightning.metrics.names import TEST, VAL, logged
from lt_lightning.runs import lock
from lt_lightning.runs.metrics_file import FILE_NAME, read_metrics, write_metrics

_VAL, _TEST = logged(VAL, ""), logged(TEST, "")
_PLACE = {"epoch", "step"}


class RunLogger(Logger):
    """Writes metrics.csv into the run folder, all metrics of a step in one row.

    Lightning's CSVLogger deletes the file of a run that is resumed, and splits an epoch over
    several rows. Here the rows up to the checkpoint stay; those after it are computed again, and
    so is that of an epoch that was cut, but for validations in its middle.

    test/* are those of the last epoch; further tests of the run are in results.json only.

    Args:
        folder: the run folder.
        resumed_step: the global step of the checkpoint; none for a new run.
        whole_epochs: the epochs that were finished then; none looks at the step alone.
    """

    def __init__(
        self, folder: Path, resumed_step: int | None = None, whole_epochs: int | None = None
    ) -> None:
        super().__init__()
        self.folder, self.file = folder, folder / FILE_NAME
        self.rows = _rows_before(self.file, resumed_step, whole_epochs)

    @property
    def name(self) -> str:
        """The name of the run."""
        return self.folder.parent.name

    @property
    def version(self) -> str:
        """The version of the run."""
        return self.folder.name

    @property
    def log_dir(self) -> str:
        """The run folder."""
        return str(self.folder)

    @property
    def save_dir(self) -> str:
        """The run folder."""
        return str(self.folder)

    def log_hyperparams(
        self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any
    ) -> None:
        """Do nothing: config.yaml and results.json hold them."""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Add the metrics to the row of their step, and write the file."""
        number = float(step or 0)
        while self.rows and self.rows[-1]["step"] > number:  # left by a run that went further
            self.rows.pop()
        if not self.rows or self.rows[-1]["step"] != number:
            self.rows.append({"step": number})
        row = self.rows[-1]
        new = {k: float(v) for k, v in metrics.items() if not (k in row and k.startswith(_TEST))}
        row.update(new)
        self.save()

    def finalize(self, status: str) -> None:
        """Do nothing: each row is written when it is logged, and a refused run logs none."""

    @rank_zero_only
    def save(self) -> None:
        """Write all rows."""
        lock.check(self.folder)
        write_metrics(self.file, self.rows)


def _rows_before(file: Path, step: int | None, epochs: int | None) -> list[dict[str, float]]:
    if step is None or not file.is_file():
        return []
    rows = read_metrics(file, "delete it, the run then goes on without the curves so far")
    kept = []
    for row in rows:
        if row["step"] >= step:
            break
        if epochs is not None and row.get("epoch", 0.0) >= epochs:
            # The epoch was cut: its means come again, a validation in the middle of it does not.
            row = {k: v for k, v in row.items() if k in _PLACE or k.startswith(_VAL)}
            if not row.keys() - _PLACE:
                continue
        kept.append(row)
    return kept
