"""The table of predictions, row by row into one file: CSV or Parquet, as its name says."""

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from lt_lightning.errors import Refused
from lt_lightning.runs.files import whole_file

SUFFIXES = (".csv", ".parquet")
_ROWS = 4096  # of a group in a Parquet file, at most
_CELLS = 1_000_000  # of a group, so that thousands of classes do not fill the memory
_AGAIN = "predict again, or give another --out"


@dataclass(frozen=True)
class Layout:
    """What stands in a row.

    Attributes:
        names: C class names in label order.
        top_k: how many classes are named, the most probable first.
        probabilities: whether there is a column for each class.
        labels: whether there is a column for the true class.
    """

    names: Sequence[str]
    top_k: int = 1
    probabilities: bool = True
    labels: bool = False

    @property
    def header(self) -> list[str]:
        """The names of the columns."""
        found = ["file"] + ["label"] * self.labels
        for rank in range(1, self.top_k + 1):
            end = "" if rank == 1 else f"_{rank}"
            found += [f"class{end}", f"confidence{end}"]
        return found + [f"p:{name}" for name in self.names if self.probabilities]

    def cells(self, file: str, place: int, label: int | None, chances: Tensor) -> list[Any]:
        """Return texts and numbers of one picture.

        Args:
            file: its name.
            place: of the predicted class.
            label: the true class, where it is known.
            chances: the probabilities, float64 (C,).
        """
        numbers: list[float] = chances.tolist()
        found: list[Any] = [file]
        if self.labels:
            found.append(None if label is None else self.names[label])
        ranked = [place]
        if self.top_k > 1:  # of equals the first, and the predicted one before all
            order = chances.sort(descending=True, stable=True).indices.tolist()
            ranked += [other for other in order if other != place][: self.top_k - 1]
        for one in ranked:
            found += [self.names[one], numbers[one]]
        return found + numbers if self.probabilities else found


class Rows(Protocol):
    """A table that is being written."""

    def add(self, cells: list[Any]) -> None:
        """Write one row."""


def check(out: Path) -> None:
    """Refuse a name that says neither CSV nor Parquet, and Parquet where it cannot be written.

    Raises:
        Refused: if it is one.
    """
    suffix = out.suffix.lower()
    if suffix not in SUFFIXES:
        told = f"the name of {out.name} ends in {suffix}" if suffix else f"{out.name} has no ending"
        raise Refused(f"--out: {told}: give a name that ends in .csv or .parquet.")
    if suffix == ".parquet" and find_spec("pyarrow") is None:
        raise Refused(
            f"--out {out} needs the package pyarrow, which is not installed: pip install pyarrow, "
            "or give a name that ends in .csv."
        )


def table(out: Path, layout: Layout) -> AbstractContextManager[Rows]:
    """Give the table that `out` will be, once all rows are written.

    Raises:
        UserError: if the disk refuses it; the file that was there before stays.
    """
    return _parquet(out, layout) if out.suffix.lower() == ".parquet" else _csv(out, layout)


class _Csv:
    def __init__(self, stream: io.TextIOWrapper) -> None:
        self._writer = csv.writer(stream)

    def add(self, cells: list[Any]) -> None:
        # Nine digits name one float32.
        self._writer.writerow(
            [f"{cell:.9g}" if isinstance(cell, float) else cell for cell in cells]
        )


@contextmanager
def _csv(out: Path, layout: Layout) -> Iterator[Rows]:
    with whole_file(out, _AGAIN) as stream:
        text = io.TextIOWrapper(stream, "utf-8", "backslashreplace", newline="")
        rows = _Csv(text)
        rows.add(list(layout.header))
        yield rows
        text.detach()  # written out, and left to be closed


class _Parquet:
    def __init__(self, writer: Any, schema: Any) -> None:
        self._writer, self._schema = writer, schema
        self._waiting: list[list[Any]] = []
        self._most = max(1, min(_ROWS, _CELLS // len(schema)))

    def add(self, cells: list[Any]) -> None:
        self._waiting.append([_text(c) if isinstance(c, str) else c for c in cells])
        if len(self._waiting) >= self._most:
            self.flush()

    def flush(self) -> None:
        import pyarrow

        if self._waiting:
            columns = [
                pyarrow.array(column, type=field.type)
                for column, field in zip(
                    zip(*self._waiting, strict=True), self._schema, strict=True
                )
            ]
            self._writer.write_table(pyarrow.Table.from_arrays(columns, schema=self._schema))
            self._waiting = []


def _text(cell: str) -> str:
    """Return text in which bytes that are no UTF-8 are escaped, as in a CSV."""
    return cell.encode("utf-8", "backslashreplace").decode()


@contextmanager
def _parquet(out: Path, layout: Layout) -> Iterator[Rows]:
    import pyarrow
    from pyarrow import parquet

    texts = ("file", "label", "class")
    fields = [
        (_text(name), pyarrow.string() if name.partition("_")[0] in texts else pyarrow.float64())
        for name in layout.header
    ]
    schema = pyarrow.schema(fields)
    with whole_file(out, _AGAIN) as stream, parquet.ParquetWriter(stream, schema) as writer:
        rows = _Parquet(writer, schema)
        yield rows
        rows.flush()
