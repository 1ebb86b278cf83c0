"""Each picture looked at once: its size, a digest of its pixels, or why it cannot be used."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lt_lightning.data.decode import (
    Unreadable,
    cache_folder,
    cache_key,
    in_parallel,
    keep,
    picture_of,
    reader,
)
from lt_lightning.data.reading import Reading


@dataclass(frozen=True)
class Seen:
    """What is known of one picture.

    Attributes:
        path: its file.
        width: in pixels, 0 where it cannot be read.
        height: likewise.
        digest: of its size and pixels; empty where it cannot be read.
        fault: why it cannot be used, after "The image FILE"; empty where it can.
        remedy: what makes it usable as it is, where something does.
    """

    path: Path
    width: int
    height: int
    digest: str
    fault: str
    remedy: str = ""

    @property
    def kind(self) -> str:
        """The fault without the numbers in it, which differ from picture to picture."""
        return re.sub(r"\d+", "0", self.fault)


def look_at(paths: Sequence[Path], root: Path, reading: Reading) -> list[Seen]:
    """Return what is seen of each file, one at a time in a few threads; kept in the cache."""
    files = list(paths)
    what = f"looked at {reading} {reader()}"
    cache = cache_folder() / f"{cache_key(files, root, what)}.json"
    kept = _known(cache, len(files))
    if kept is None:
        told = f"Looking at {len(files)} images"
        found = list(in_parallel(lambda path: _row(path, reading), files, told))
        rows = [row for row, _ in found]
        text = json.dumps([None if passing else row for row, passing in found]).encode()
        keep(cache, lambda file: file.write(text))
    else:
        pairs = zip(files, kept, strict=True)
        rows = [_row(path, reading)[0] if row is None else row for path, row in pairs]
    return [Seen(path, *row) for path, row in zip(files, rows, strict=True)]


def _row(path: Path, reading: Reading) -> tuple[list[Any], bool]:
    """Return what is kept of a picture, and whether it has a fault that may pass."""
    try:
        picture = picture_of(path, reading)
    except Unreadable as error:
        return [0, 0, "", error.fault, error.remedy], error.passing
    digest = hashlib.sha256(repr(picture.size).encode())
    digest.update(picture.tobytes())
    return [picture.width, picture.height, digest.hexdigest()[:32], "", ""], False


def _known(cache: Path, count: int) -> list[list[Any] | None] | None:
    """Return what is known of each picture, none of one whose fault may have passed."""
    try:
        rows = json.loads(cache.read_bytes())
    except (OSError, ValueError):
        return None  # absent or damaged
    whole = isinstance(rows, list) and len(rows) == count and all(map(_is_row, rows))
    return rows if whole else None


def _is_row(row: Any) -> bool:
    kinds = [int, int, str, str, str]
    return row is None or (isinstance(row, list) and [type(value) for value in row] == kinds)
