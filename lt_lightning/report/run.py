"""One finished run as the reports see it: results.json, config.yaml and metrics.csv."""

import csv
import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from lt_lightning.errors import UserError
from lt_lightning.runs.results import FILE_NAME, read_results
from lt_lightning.runs.results_check import check

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C one is ten times faster


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
        content = read_results(folder / FILE_NAME)
        check(folder / FILE_NAME, content)
        return cls(folder, content)

    @property
    def seed(self) -> tuple[Any, Any, Any]:
        """What two runs must share to be compared as a pair: both seeds and the images."""
        seeds = self.content["seeds"]
        return seeds["training"], seeds["subset"], self.content["data"]["fingerprint"]

    @cached_property
    def written(self) -> float:
        """When results.json was written."""
        return (self.folder / FILE_NAME).stat().st_mtime

    @cached_property
    def config(self) -> dict[str, Any]:
        """The content of config.yaml, nothing where there is none.

        Raises:
            UserError: if it is damaged.
        """
        file = self.folder / "config.yaml"
        if not file.is_file():
            return {}
        try:
            content = yaml.load(file.read_text(encoding="utf-8"), _Loader)
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise UserError(f"{file} is damaged: put back the one that `lt fit` wrote.") from error
        return content if isinstance(content, dict) else {}

    @cached_property
    def curves(self) -> dict[str, list[tuple[float, float]]]:
        """Points (epoch, value) of each metric in metrics.csv; epochs count from 1.

        Raises:
            UserError: if it holds anything but numbers.
        """
        file = self.folder / "metrics.csv"
        if not file.is_file():
            return {}
        found: dict[str, list[tuple[float, float]]] = {}
        try:
            with file.open(newline="", encoding="utf-8") as stream:
                for row in csv.DictReader(stream):
                    epoch = float(row["epoch"]) + 1
                    for name, text in row.items():
                        if name in ("epoch", "step") or text in ("", None):
                            continue
                        value = float(text)
                        if math.isfinite(value):
                            found.setdefault(name, []).append((epoch, value))
        except (OSError, ValueError, TypeError, KeyError, csv.Error) as error:
            raise UserError(
                f"{file} is damaged ({error}): delete it, the curves are left out then."
            ) from error
        return found
