"""metrics.csv: one row an epoch, a column for each metric; an empty cell is one not logged."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from lt_lightning.errors import UserError
from lt_lightning.runs.files import read_whole, write_whole

FILE_NAME = "metrics.csv"
_MOST = 256 * 2**20  # bytes


def read_metrics(file: Path, remedy: str) -> list[dict[str, float]]:
    """Return the rows, each without its empty cells.

    Args:
        file: the file.
        remedy: ends the sentence about a damaged file: what the user does then.

    Raises:
        UserError: if it cannot be read, has no columns `epoch` and `step`, or holds anything but
            numbers.
    """
    try:
        rows = csv.reader(io.StringIO(read_whole(file, _MOST), newline=""), strict=True)
        names = next(rows, [])
        if not {"epoch", "step"} <= set(names) or len(set(names)) < len(names):
            raise ValueError("its first line does not name the columns epoch, step and others once")
        return [_numbers(names, row, rows.line_num) for row in rows if row]
    except (ValueError, csv.Error, OSError) as error:
        raise UserError(f"{file} is damaged ({error}): {remedy}.") from error


def write_metrics(file: Path, rows: Sequence[Mapping[str, float]]) -> None:
    """Write the rows, whole or not at all.

    Raises:
        UserError: if the disk refuses it; the file that was there before stays.
    """
    columns = sorted({key for row in rows for key in row} - {"epoch", "step"})
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, ["epoch", "step", *columns])
    writer.writeheader()
    writer.writerows(rows)
    again = "go on with --ckpt_path last; the rows before are kept"
    write_whole(file, text.getvalue().encode(), again)


def _numbers(names: list[str], row: list[str], line: int) -> dict[str, float]:
    if len(row) != len(names):
        raise ValueError(f"line {line} has {len(row)} cells for {len(names)} columns")
    found = {}
    for name, text in zip(names, row, strict=True):
        if text:
            try:
                found[name] = float(text)
            except ValueError as error:
                shown = f"{text[:40]!a}{'...' if len(text) > 40 else ''}"
                raise ValueError(f"line {line}: {name!a} is {shown}, no number") from error
    return found
