"""Small JSON files that `lt` keeps beside runs: written whole, of one version, read in words."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from lt_lightning.errors import Refused, UserError, one_sentence
from lt_lightning.runs.files import write_whole
from lt_lightning.runs.json_file import read_json

T = TypeVar("T")
_KEY = "schema_version"


def write_record(
    file: Path, version: int, content: Mapping[str, Any], remedy: str, indent: int | None = None
) -> None:
    """Write a mapping and its version, whole or not at all.

    Args:
        file: where to.
        version: of the schema.
        content: what JSON can hold.
        remedy: what to do where it cannot be written, for the message.
        indent: spaces of a level; none for one line.
    """
    text = json.dumps({_KEY: version, **content}, indent=indent, allow_nan=False)
    write_whole(file, f"{text}\n".encode(), remedy)


def read_record(
    file: Path, version: int, parse: Callable[[dict[str, Any]], T], remedy: str
) -> T | None:
    """Return what a file holds, or none where there is no such file.

    Args:
        file: that `write_record` wrote.
        version: of the schema that is read.
        parse: makes the value of the mapping, without its version; what it finds wrong is a
            ValueError, TypeError, LookupError, AttributeError or one sentence.
        remedy: what to do with a file that cannot be used, for the message.

    Raises:
        UserError: if it cannot be read, is damaged, or of another version.
    """
    if not file.exists():
        return None
    try:
        content = read_json(file)
        if not isinstance(content, dict):
            raise ValueError("it is no mapping")
        found = content.pop(_KEY, None)
        if type(found) is not int or found != version:
            raise ValueError(f"its {_KEY} is {str(found)[:40]!r}, not {version}")
        return parse(content)
    except (OSError, ValueError, TypeError, LookupError, AttributeError, Refused) as error:
        told = error.sentence if isinstance(error, Refused) else one_sentence(str(error)[:200])
        raise UserError(f"{file} is damaged ({told.rstrip('.')}): {remedy}.") from error
