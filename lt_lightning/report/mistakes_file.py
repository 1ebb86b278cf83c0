"""mistakes.json: pictures that a run gets wrong, and those of its rarest classes, for the page.

It lies beside results.json and is made by `lt report RUN --mistakes`.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lt_lightning.report.command import MOST
from lt_lightning.report.thumbnail import data_url
from lt_lightning.runs.record_file import read_record, write_record

FILE_NAME = "mistakes.json"
SCHEMA_VERSION = 1
LETTERS = 200  # of the name of a file
_LONGEST = 4000  # letters of any other text


@dataclass(frozen=True)
class Seen:
    """One test image and what the run says of it.

    Attributes:
        picture: a PNG or JPEG in base64, at most 96 pixels a side.
        file: below the folder of the data; none of an image that has no file.
        place: among the test images, from 0 on.
        true: its class.
        predicted: the class that the run takes it for; none where it gives no finite numbers.
        confidence: the probability of that class.
    """

    picture: str
    file: str | None
    place: int
    true: int
    predicted: int | None
    confidence: float


@dataclass(frozen=True)
class Mistakes:
    """What is shown of one run.

    Attributes:
        weights: a digest of the parameters.
        checkpoint: its name.
        evaluation: its test in results.json.
        asked: how many mistakes were asked for.
        images: how many test images there are.
        wrong: how many of them the run gets wrong.
        worst: the most confident mistakes, the worst first.
        rarest: images of the rarest classes, class by class, right or wrong.
        fingerprint: of the test images; none of an earlier version.
    """

    weights: str
    checkpoint: str
    evaluation: str
    asked: int
    images: int
    wrong: int
    worst: Sequence[Seen]
    rarest: Sequence[Seen]
    fingerprint: str | None = None


def write_mistakes(folder: Path, mistakes: Mistakes) -> None:
    """Write mistakes.json into the run folder."""
    write_record(folder / FILE_NAME, SCHEMA_VERSION, asdict(mistakes), "make it again")


def read_mistakes(folder: Path, classes: int) -> Mistakes | None:
    """Return the mistakes of a run, or none where they were not looked at.

    Args:
        folder: the run folder.
        classes: how many classes the run has.

    Raises:
        UserError: if the file is damaged or of another version.
    """
    again = "delete it and make it again by `lt report RUN --mistakes`"
    return read_record(
        folder / FILE_NAME, SCHEMA_VERSION, lambda content: _checked(content, classes), again
    )


def _checked(content: dict[str, Any], classes: int) -> Mistakes:
    """Return the mistakes that a file tells of.

    Raises:
        ValueError: if it holds what `write_mistakes` does not write; so do the others.
        TypeError: if a part is missing, or there is one more.
    """
    worst, rarest = content.pop("worst"), content.pop("rarest")
    found = Mistakes(**content, worst=_all_seen(worst, classes), rarest=_all_seen(rarest, classes))
    for text in (found.weights, found.checkpoint, found.evaluation, found.fingerprint or ""):
        if not isinstance(text, str) or len(text) > _LONGEST:
            raise ValueError(f"{text!r:.40} is no text of up to {_LONGEST} letters")
    for number in (found.asked, found.images, found.wrong):
        _check_number(number, 10**15)
    return found


def _all_seen(rows: Any, classes: int) -> list[Seen]:
    if not isinstance(rows, list) or len(rows) > MOST:
        raise ValueError(f"there is no list of up to {MOST} pictures")
    return [_seen(Seen(**row), classes) for row in rows]


def _seen(one: Seen, classes: int) -> Seen:
    _check_number(one.place, 10**15)
    _check_number(one.true, classes)
    if one.predicted is not None:
        _check_number(one.predicted, classes)
    if type(one.confidence) is not float or not 0 <= one.confidence <= 1:
        raise ValueError(f"a confidence is {one.confidence!r:.40}")
    if one.file is not None and not (
        isinstance(one.file, str) and len(one.file) <= LETTERS and one.file.isprintable()
    ):
        raise ValueError(f"the name of a file is {one.file!r:.40}")
    data_url(one.picture)
    return one


def _check_number(value: Any, below: int) -> None:
    if type(value) is not int or not 0 <= value < below:
        raise ValueError(f"{value!r:.40} is no whole number from 0 to {below - 1}")
