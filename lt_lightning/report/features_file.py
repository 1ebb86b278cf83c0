"""features.json: test features of a run in the plane, for the reports.

It lies beside results.json and is made by `lt report RUN --features`.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lt_lightning.errors import UserError
from lt_lightning.runs.files import write_whole
from lt_lightning.runs.json_file import read_json

FILE_NAME = "features.json"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Features:
    """Points in the plane, one for each image.

    Attributes:
        weights: a digest of the checkpoint that they are of.
        checkpoint: its name.
        labels: the class of each point.
        x: first coordinate of each point, without a unit.
        y: second coordinate.
    """

    weights: str
    checkpoint: str
    labels: list[int]
    x: list[float]
    y: list[float]


def write_features(folder: Path, features: Features) -> None:
    """Write features.json into the run folder."""
    text = json.dumps({"schema_version": SCHEMA_VERSION, **asdict(features)})
    write_whole(folder / FILE_NAME, f"{text}\n".encode(), "make it again")


def read_features(folder: Path, classes: int) -> Features | None:
    """Return the features of a run, or none where they were not made.

    Args:
        folder: the run folder.
        classes: how many classes the run has.

    Raises:
        UserError: if the file is damaged or of another version.
    """
    file = folder / FILE_NAME
    if not file.is_file():
        return None
    again = "make it again by `lt report RUN --features`"
    try:
        content = read_json(file)
        version = content.pop("schema_version")
        if version != SCHEMA_VERSION:
            raise UserError(f"{file} has the schema_version {version!r}: delete it and {again}.")
        found = Features(**content)
        _check(found, classes)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(f"{file} is damaged ({error}): delete it and {again}.") from error
    return found


def _check(found: Features, classes: int) -> None:
    rows: list[tuple[Any, Any, Any]] = list(zip(found.labels, found.x, found.y, strict=True))
    for label, x, y in rows:
        fits = type(label) is int and 0 <= label < classes
        if not (fits and all(type(v) is float and abs(v) < 1e9 for v in (x, y))):
            raise ValueError(f"a point is {label!r:.40}, {x!r:.40}, {y!r:.40}")
