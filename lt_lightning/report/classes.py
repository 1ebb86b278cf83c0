"""What each class gets: recall, precision and F1 of a test, or their means over the seeds."""

import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lt_lightning.errors import printable
from lt_lightning.figures.confusion import head_to_tail
from lt_lightning.figures.labels import shortened
from lt_lightning.runs.results import FILE_NAME, read_results

HEADINGS = ("training images", "test images", "recall %", "precision %", "F1 %")
_SHARES = ("accuracy", "precision", "f1")
_LETTERS = 40  # of a name in a terminal
_WIDE = "WF"  # letters that take two places there


@dataclass(frozen=True)
class ClassRow:
    """One class.

    Attributes:
        name: of the class.
        group: that it is in, or none.
        training_images: as trained on, of the first seed.
        test_images: of the first seed.
        shares: recall, precision and F1 in percent, each a mean over the seeds that have it; none
            without test images, or for the precision of a class that was never predicted.
    """

    name: str
    group: str | None
    training_images: int
    test_images: int
    shares: tuple[float | None, ...]

    @property
    def numbers(self) -> list[str]:
        """What stands below `HEADINGS`; a dash is what does not exist."""
        shown = ("-" if share is None else f"{share:.1f}" for share in self.shares)
        return [str(self.training_images), str(self.test_images), *shown]


def class_rows(evaluations: Sequence[Mapping[str, Any]]) -> list[ClassRow]:
    """Return the classes, those with most training images first.

    Args:
        evaluations: of results.json, one for each seed, of the same classes.
    """
    columns = list(zip(*(one["classes"] for one in evaluations), strict=True))
    order = head_to_tail([column[0]["training_images"] for column in columns])
    return [_row(columns[place]) for place in order]


def _row(column: Sequence[Mapping[str, Any]]) -> ClassRow:
    first = column[0]
    shares = tuple(_mean([row.get(key) for row in column]) for key in _SHARES)
    counts = first["training_images"], first["test_images"]
    return ClassRow(first["name"], first["group"], *counts, shares)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [100 * value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None


def told(folders: Sequence[Path]) -> str:
    """Return a table of the classes of each test of some runs, for a terminal."""
    parts = []
    for folder in folders:
        for label, evaluation in read_results(folder / FILE_NAME)["evaluations"].items():
            run = "/".join(folder.resolve().parts[-2:])
            parts.append(f"{printable(f'{run}: {label}')}\n{_table(class_rows([evaluation]))}")
    return "\n\n".join(parts)


def _table(rows: Sequence[ClassRow]) -> str:
    cells = [["class", "group", *HEADINGS]]
    cells += [[_name(row.name), _name(row.group or "-"), *row.numbers] for row in rows]
    widths = [max(_width(line[k]) for line in cells) for k in range(len(cells[0]))]
    lines = []
    for line in cells:
        padded = [" " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True)]
        left = [cell + space for cell, space in zip(line[:2], padded[:2], strict=True)]
        right = [space + cell for cell, space in zip(line[2:], padded[2:], strict=True)]
        lines.append("  ".join([*left, *right]))
    lines.insert(1, "-" * max(map(_width, lines)))
    return "\n".join(lines)


def _name(name: str) -> str:
    return shortened(printable(name), _LETTERS)


def _width(text: str) -> int:
    """Return the places of a text in a terminal."""
    return sum(
        0 if unicodedata.combining(letter) else 1 + (unicodedata.east_asian_width(letter) in _WIDE)
        for letter in text
    )
