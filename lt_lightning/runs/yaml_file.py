"""YAML as a file of a run holds it: of a bounded size, however its parts name one another."""

from pathlib import Path
from typing import Any

import yaml

from lt_lightning.runs.files import read_whole

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C one is ten times faster
_MOST = 4 * 2**20  # bytes; the longest config has 10 KiB
_DEEPEST = 64
_PARTS = 100_000


def read_yaml(file: Path) -> Any:
    """Return the content of a YAML file.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it is no YAML, or too large, too deep, or without an end for a part of it
            names the whole.
    """
    text = read_whole(file, _MOST)
    try:
        _check_levels(text)
        content = yaml.load(text, _Loader)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError("it is no valid YAML") from error
    _count(content, 0, 0)
    return content


def _check_levels(text: str) -> None:
    """Refuse what is too deep before it is built: the C loader ends the process on it."""
    level = 0
    for event in yaml.parse(text, _Loader):
        level += isinstance(event, yaml.CollectionStartEvent)
        level -= isinstance(event, yaml.CollectionEndEvent)
        if level > _DEEPEST:
            raise ValueError(f"it has more than {_DEEPEST} levels")


def _count(value: Any, level: int, parts: int) -> int:
    """Return how many parts there are with those before, every alias written out."""
    parts += 1
    if level > _DEEPEST or parts > _PARTS:
        raise ValueError(f"it has more than {_DEEPEST} levels or {_PARTS:,} parts")
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        parts = _count(one, level + 1, parts)
    return parts
