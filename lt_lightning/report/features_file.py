"""features.json: test features of a run in the plane, for the reports.

It lies beside results.json and is made by `lt report RUN --features`.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lt_lightning.runs.record_file import read_record, write_record

FILE_NAME = "features.json"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Features:
    """Points in the plane, one for each image.

    Attributes:
        weights: a digest of the parameters.
        checkpoint: the name of the file that had them.
        labels: the class of each point.
        x: first coordinate of each point, without a unit.
        y: second coordinate.
        evaluation: their test in results.json; "last" of an earlier version.
        fingerprint: of the images; none of an earlier version.
    """

    weights: str
    checkpoint: str
    labels: list[int]
    x: list[float]
    y: list[float]
    evaluation: str = "last"
    fingerprint: str | None = None


def write_features(folder: Path, features: Features) -> None:
    """Write features.json into the run folder."""
    write_record(folder / FILE_NAME, SCHEMA_VERSION, asdict(features), "make it again")


def read_features(folder: Path, classes: int) -> Features | None:
    """Return the features of a run, or none where they were not made.

    Args:
        folder: the run folder.
        classes: how many classes the run has.

    Raises:
        UserError: if the file is damaged or of another version.
    """
    again = "delete it and make it again by `lt report RUN --features`"
    return read_record(
        folder / FILE_NAME, SCHEMA_VERSION, lambda content: _checked(content, classes), again
    )


def _checked(content: dict[str, Any], classes: int) -> Features:
    found = Features(**content)
    for text in (found.evaluation, found.fingerprint or ""):
        if not isinstance(text, str):
            raise ValueError(f"{text!r:.40} is no text")
    rows: list[tuple[Any, Any, Any]] = list(zip(found.labels, found.x, found.y, strict=True))
    for label, x, y in rows:
        fits = type(label) is int and 0 <= label < classes
        if not (fits and all(type(v) is float and abs(v) < 1e9 for v in (x, y))):
            raise ValueError(f"a point is {label!r:.40}, {x!r:.40}, {y!r:.40}")
    return found
