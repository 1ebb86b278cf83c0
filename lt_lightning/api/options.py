"""Options as Python has them, in the words of a command line."""

import inspect
import json
import logging
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lt_lightning.errors import UserError
from lt_lightning.runs.class_path import path_of

log = logging.getLogger("lt_lightning")
_KEY = re.compile(r"[A-Za-z]\w*(\.\w+)*")
_PACKED = ("init_args", "dict_kwargs")


def words(overrides: Mapping[str, Any]) -> list[str]:
    """Return one word `--key=value` for each option.

    Args:
        overrides: options by their keys; two underscores stand for a dot. A mapping holds the
            options below its key, and names a class by `class_path`, as in a config.

    Raises:
        UserError: if a key is none, stands twice, or a value cannot be written on a command line.
    """
    found: dict[str, str] = {}
    for key, text in _words(overrides, ""):
        if key in found:
            raise UserError(f"{key} is given twice: leave one out.")
        found[key] = text
    return [f"--{key}={text}" for key, text in found.items()]


def _words(options: Mapping[str, Any], above: str) -> Iterator[tuple[str, str]]:
    for name, value in options.items():
        key = f"{above}{name.replace('__', '.')}"
        if not _KEY.fullmatch(key):
            raise UserError(f"{key!r} is no option: give a key such as trainer__max_epochs.")
        if not isinstance(value, Mapping) or not value or not all(map(_is_key, value)):
            yield key, _text(key, value)
            continue
        path = value.get("class_path")
        if path is not None:
            yield key, _text(key, path)
        inner = {k: v for k, v in value.items() if k != "class_path"}
        for level in _PACKED if path is not None else ():
            packed = inner.pop(level, None) or {}
            if not isinstance(packed, Mapping):
                raise UserError(f"{key}.{level} is {packed!r}: it holds options by their names.")
            yield from _words(packed, f"{key}.")
        yield from _words(inner, f"{key}.")


def _is_key(name: Any) -> bool:
    return isinstance(name, str) and bool(_KEY.fullmatch(name.replace("__", ".")))


def _text(key: str, value: Any) -> str:
    plain = _plain(key, value)
    return plain if isinstance(plain, str) else json.dumps(plain)


def _plain(key: str, value: Any) -> Any:
    """Return a value as YAML and JSON have it; a class by its path."""
    if inspect.isclass(value):
        if value.__module__ == "__main__":
            log.warning(
                "%s is a class of the script itself: lt test, lt predict and all that begins "
                "elsewhere cannot find it, so put it in a module.",
                value.__qualname__,
            )
        return path_of(value)
    if isinstance(value, np.generic):
        return _plain(key, value.item())
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, list | tuple):
        return [_plain(key, item) for item in value]
    if isinstance(value, Mapping):
        return {name: _plain(key, item) for name, item in value.items()}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise UserError(
        f"{key} is an object of {type(value).__name__}: give a number, a text, a list, or a class "
        "by its name with its options, as a config does."
    )
