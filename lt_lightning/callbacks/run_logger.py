"""metrics.csv: one row per epoch, kept whole where a run is resumed."""

import csv
import os
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

from lt_lightning.errors import UserError
from lt_lightning.metrics.names import TEST, logged
from lt_lightning.runs import lock

_TEST = logged(TEST, "")


class RunLogger(Logger):
    """Writes metrics.csv into the run folder, all metrics of a step in one row.

    Lightning's CSVLogger deletes the file of a run that is resumed, and splits an epoch over
    several rows. Here the rows up to the checkpoint stay; those after it are computed again. The
    training loss of an epoch that was resumed in its middle is the mean over the rest of it.

    test/* are those of the last epoch; further tests of the run are in results.json only.

    Args:
        folder: the run folder.
        resumed_step: the global step of the checkpoint; none for a new run.
    """

    def __init__(self, folder: Path, resumed_step: int | None = None) -> None:
        super().__init__()
        self.folder, self.file = folder, folder / "metrics.csv"
        self.rows = _rows_before(self.file, resumed_step)

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
        """Write all rows; beside the file first, then renamed."""
        columns = sorted({key for row in self.rows for key in row} - {"epoch", "step"})
        lock.check(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        aside = self.file.with_suffix(".part")
        try:
            with aside.open("w", newline="", encoding="utf-8") as stream:
                writer = csv.DictWriter(stream, ["epoch", "step", *columns])
                writer.writeheader()
                writer.writerows(self.rows)
            os.replace(aside, self.file)
        except OSError as error:
            aside.unlink(missing_ok=True)
            raise UserError(
                f"{self.file} could not be written ({error.strerror or error}): free some space "
                "and go on with --ckpt_path last; the rows before are kept."
            ) from error


def _rows_before(file: Path, step: int | None) -> list[dict[str, float]]:
    if step is None or not file.is_file():
        return []
    with file.open(newline="", encoding="utf-8") as stream:
        rows = [
            {key: float(value) for key, value in row.items() if value not in ("", None)}
            for row in csv.DictReader(stream)
        ]
    return [row for row in rows if row.get("step", 0.0) < step]
