"""results.json: what one run reports, and the figures' numbers.

The schema, version 1, is described in docs/results_json.md. More keys may be there, fewer never.
"""

import json
from pathlib import Path
from typing import Any

from lt_lightning.errors import UserError
from lt_lightning.runs.files import write_whole

SCHEMA_VERSION = 1
FILE_NAME = "results.json"

_KEYS: dict[str, type] = {
    "method": str,
    "config": list,
    "command": list,
    "seeds": dict,
    "flags": dict,
    "data": dict,
    "training": dict,
    "metrics": dict,
    "versions": dict,
    "hardware": dict,
    "evaluations": dict,
}
_INNER_KEYS: dict[str, tuple[str, ...]] = {
    "seeds": ("training", "subset"),
    "flags": ("test_seen_during_training", "oracle"),
    "data": ("fingerprint", "class_names", "class_counts", "groups", "group_rule"),
    "training": ("seconds", "epochs", "parameters"),
}
_EVALUATION_KEYS: dict[str, type] = {
    "checkpoint": dict,
    "images": int,
    "overall": dict,
    "groups": dict,
    "classes": list,
    "reliability": dict,
}


def read_results(path: str | Path) -> dict[str, Any]:
    """Return the content of a results.json.

    Args:
        path: the file, or the run folder it lies in.

    Raises:
        UserError: if there is none, or if it is not what this version writes.
    """
    file = Path(path) / FILE_NAME if Path(path).is_dir() else Path(path)
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(
            f"{file} cannot be read ({error.strerror or error}): give the folder of a run that "
            "was tested."
        ) from error
    except ValueError as error:
        raise UserError(
            f"{file} is damaged ({error}): delete it and test the run again by `lt test`."
        ) from error
    if not isinstance(content, dict) or "schema_version" not in content:
        raise UserError(f"{file} has no schema_version: give a results.json that `lt` wrote.")
    version = content["schema_version"]
    if version != SCHEMA_VERSION:
        raise UserError(
            f"{file} has the schema_version {version!r} but this lt_lightning reads "
            f"{SCHEMA_VERSION}: use the lt_lightning that wrote it."
        )
    _check(file, "", content, _KEYS)
    for key, inner in _INNER_KEYS.items():
        _check(file, f"{key}.", content[key], dict.fromkeys(inner, object))
    for name, evaluation in content["evaluations"].items():
        where = f"evaluations.{name}"
        _check(file, "evaluations.", {name: evaluation}, {name: dict})
        _check(file, f"{where}.", evaluation, _EVALUATION_KEYS)
    return content


def _check(file: Path, where: str, content: dict[str, Any], keys: dict[str, type]) -> None:
    for key, kind in keys.items():
        if key not in content or not isinstance(content[key], kind):
            state = "is wrong" if key in content else "is missing"
            raise UserError(
                f"{file} is damaged ({where}{key} {state}): delete it and test the run again by "
                "`lt test`."
            )


def write_results(folder: Path, content: dict[str, Any]) -> None:
    """Write results.json into `folder`, whole or not at all."""
    text = json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    write_whole(folder / FILE_NAME, text.encode())
