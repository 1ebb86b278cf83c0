"""One finished run as the reports see it: results.json, config.yaml and metrics.csv."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lt_lightning.errors import UserError
from lt_lightning.report.begin import begun
from lt_lightning.runs.kept_configs import last_file
from lt_lightning.runs.metrics_file import FILE_NAME as METRICS_FILE
from lt_lightning.runs.metrics_file import read_metrics
from lt_lightning.runs.results import FILE_NAME, read_results
from lt_lightning.runs.yaml_file import read_yaml

_DRAWN = 1e30  # no picture has a place for more, nor for what is not finite
# The longer names of what may be written shorter.
_PRECISIONS = {"32": "32-true", "64": "64-true", "16": "16-mixed", "bf16": "bf16-mixed"}


@dataclass(frozen=True)
class Run:
    """A run folder; config and curves are read when they are asked for."""

    folder: Path
    content: dict[str, Any]

    @classmethod
    def read(cls, folder: Path) -> "Run":
        """Read results.json.

        Raises:
            UserError: if it is missing, damaged or of another version.
        """
        return cls(folder, read_results(folder / FILE_NAME))

    @property
    def seed(self) -> tuple[Any, Any, Any]:
        """What two runs must share to be compared as a pair: both seeds and the images.

        One without a training seed shares it with none.
        """
        seeds = self.content["seeds"]
        training = f"none, in {self.folder}" if seeds["training"] is None else seeds["training"]
        return training, seeds["subset"], self.images

    @property
    def images(self) -> str:
        """The fingerprint of the images that it was trained on."""
        return str(self.content["data"]["fingerprint"])

    @property
    def precision(self) -> str | None:
        """The precision of its training, as Lightning calls it; none where it is not known."""
        trainer = self.config.get("trainer")
        asked = trainer.get("precision") if isinstance(trainer, dict) else None
        found = self.content["hardware"].get("precision") if asked is None else asked
        return None if found is None else _PRECISIONS.get(str(found), str(found))

    @cached_property
    def begun(self) -> float:
        """When it was begun, as far as its files tell."""
        return begun(self.folder)

    @cached_property
    def config(self) -> dict[str, Any]:
        """The content of the config that it ended with, nothing where there is none.

        Raises:
            UserError: if it is damaged.
        """
        file = last_file(self.folder)
        if not file.is_file():
            return {}
        try:
            content = read_yaml(file)
        except (OSError, ValueError) as error:
            raise UserError(f"{file} is damaged: put back the one that `lt fit` wrote.") from error
        return content if isinstance(content, dict) else {}

    @cached_property
    def curves(self) -> dict[str, list[tuple[float, float]]]:
        """Points (epoch, value) of each metric in metrics.csv; epochs count from 1.

        Raises:
            UserError: if it holds anything but numbers.
        """
        file = self.folder / METRICS_FILE
        if not file.exists():
            return {}
        found: dict[str, list[tuple[float, float]]] = {}
        for row in read_metrics(file, "delete it, the curves are left out then"):
            epoch = row.pop("epoch", -1.0) + 1  # a callback may log without one
            for name, value in row.items():
                if name != "step" and abs(value) < _DRAWN and 0 < epoch < _DRAWN:
                    found.setdefault(name, []).append((epoch, value))
        return found
