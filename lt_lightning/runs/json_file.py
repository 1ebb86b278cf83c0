"""JSON as the files of a run hold it: finite numbers, text that can be written, every key once."""

import json
import math
from pathlib import Path
from typing import Any, NoReturn

from lt_lightning.runs.files import read_whole

_MOST = 256 * 2**20  # bytes; 20 tests of 20,000 classes take 100 MiB
_DEEPEST = 32  # levels of lists and mappings; results.json has 5


def read_json(file: Path) -> Any:
    """Return the content of a JSON file.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it is no JSON, holds what JSON knows not (NaN, Infinity), a key twice, a
            number that is not finite, half a character, or more than 32 levels.
    """
    text = read_whole(file, _MOST)
    try:
        content = json.loads(text, object_pairs_hook=_mapping, parse_constant=_no_number)
    except RecursionError as error:
        raise ValueError("its levels have no end") from error
    _walk(content, 1)
    return content


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice[:40]!a} stands there twice")
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _walk(value: Any, level: int) -> None:
    if isinstance(value, str):
        if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise ValueError(f"the text {value[:40]!a} holds half a character")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("a number is too large")
    elif isinstance(value, dict | list):
        if level > _DEEPEST:
            raise ValueError(f"it has more than {_DEEPEST} levels")
        if isinstance(value, dict):
            for name in value:
                _walk(name, level)
        for inner in value.values() if isinstance(value, dict) else value:
            _walk(inner, level + 1)
