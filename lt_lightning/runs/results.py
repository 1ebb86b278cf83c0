"""results.json: what one run reports, and the figures' numbers.

The schema, version 1, is described in docs/results_json.md. More keys may be there, fewer never.
"""

import json
import re
from pathlib import Path
from typing import Any

from lt_lightning.errors import UserError
from lt_lightning.runs.files import write_whole
from lt_lightning.runs.json_file import read_json
from lt_lightning.runs.results_check import check, fault

SCHEMA_VERSION = 1
FILE_NAME = "results.json"
_HALF = re.compile("[\ud800-\udfff]")  # of a character: a path on the command line, no UTF-8


def read_results(path: str | Path) -> dict[str, Any]:
    """Return the content of a results.json.

    Args:
        path: the file, or the run folder it lies in.

    Raises:
        UserError: if there is none, or if it is not what this version writes.
    """
    file = Path(path) / FILE_NAME if Path(path).is_dir() else Path(path)
    try:
        content = read_json(file)
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
    if type(version) is not int or version != SCHEMA_VERSION:
        raise UserError(
            f"{file} has the schema_version {str(version)[:40]!r} but this lt_lightning reads "
            f"{SCHEMA_VERSION}: use the lt_lightning that wrote it."
        )
    check(file, content)
    return content


def epochs_told(training: dict[str, Any]) -> str:
    """Return how many epochs a run was trained, as "1 of 3, 17 steps" where it was cut."""
    epochs, planned = training.get("epochs"), training.get("planned_epochs")
    if not isinstance(epochs, int) or not isinstance(planned, int) or planned <= epochs:
        return "not stated" if epochs is None else str(epochs)
    steps = training.get("steps")
    return f"{epochs} of {planned}" + (f", {steps} steps" if isinstance(steps, int) else "")


def write_results(folder: Path, content: dict[str, Any]) -> None:
    """Write results.json into `folder`, whole or not at all.

    Raises:
        UserError: if it could not be read again, as numbers that are beyond all use cannot.
    """
    wrong = fault(content)
    if wrong is not None:
        raise UserError(
            f"The results of {folder} could not be read again ({wrong}) and are not written: such "
            "numbers say nothing, train the run again."
        )
    text = json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    text = _HALF.sub(lambda half: rf"\\u{ord(half[0]):04x}", text)
    write_whole(folder / FILE_NAME, text.encode())
