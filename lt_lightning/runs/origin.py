"""Which command a run is of: command.json, in its folder from the moment that it is taken.

A job that is started again goes on with the run of its command, and with no other. Where torchrun
started it, its --rdzv-id stands there as well.
"""

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from lt_lightning.errors import UserError
from lt_lightning.runs import argv, launch
from lt_lightning.runs.files import read_whole

FILE = "command.json"
_MAY_DIFFER = ("ckpt_path",)  # a command may say that it goes on
_MOST = 2**24  # bytes; a command line has fewer


def digest() -> str:
    """Return eight characters that stand for the command at work."""
    return hashlib.sha256(json.dumps(_parts(launch.command())).encode()).hexdigest()[:8]


def name_in(job: str) -> str:
    """Return the plain name of a run in a job; in that of an array stands the seed as well."""
    given = argv.items(launch.command()) if "_" in job else []
    seed = [item.value for item in given if item.key == "seed_everything" and item.value]
    return f"slurm-{job}-seed-{seed[-1]}" if seed and seed[-1].isdecimal() else f"slurm-{job}"


def claim(folder: Path) -> bool:
    """Write the command at work into `folder`, and return whether none was there before."""
    aside = folder / f".{FILE}.{os.getpid()}.part"
    told: dict[str, Any] = {"command": launch.command()}
    if launch.torchrun_id():
        told["torchrun"] = launch.torchrun_id()
    aside.write_text(json.dumps(told) + "\n", encoding="utf-8")
    try:
        os.link(aside, folder / FILE)  # whole or not at all, and by one process alone
    except FileExistsError:
        return False
    except OSError:  # a file system without links
        return _claim_without_links(folder, aside)
    finally:
        with suppress(OSError):
            aside.unlink()
    return True


def _claim_without_links(folder: Path, aside: Path) -> bool:
    if (folder / FILE).exists():
        return False
    os.replace(aside, folder / FILE)
    return True


def is_known(folder: Path) -> bool:
    """Return whether the folder tells which command it is of."""
    return (folder / FILE).is_file()


def is_of_this_torchrun(folder: Path) -> bool:
    """Return whether the same torchrun began the run, whose command may be another."""
    return launch.torchrun_id() is not None and _told(folder, "torchrun") == launch.torchrun_id()


def command_of(folder: Path) -> list[str] | None:
    """Return the command that a folder is of, or none where it does not tell."""
    found = _told(folder, "command")
    whole = isinstance(found, list) and all(isinstance(word, str) for word in found)
    return found if whole else None


def _told(folder: Path, what: str) -> Any:
    try:
        return json.loads(read_whole(folder / FILE, _MOST))[what]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None


def is_other(folder: Path) -> bool:
    """Return whether the folder is of another command than the one at work, as far as it tells."""
    if not is_known(folder):
        return False
    found = command_of(folder)
    return found is None or _parts(found) != _parts(launch.command())


def check(folder: Path) -> None:
    """Refuse to go on with the run of another command.

    Raises:
        UserError: if it is.
    """
    if is_other(folder):
        raise UserError(
            f"The run folder {folder} is of another command (see {FILE} there), so this job "
            "does not go on with it: give each run of a job a --version or --name of its own."
        )


def is_begun(folder: Path) -> bool:
    """Return whether an earlier start of the job at work may have begun this run."""
    return launch.restarts() > 0 or (is_of_this_torchrun(folder) and not is_other(folder))


def _parts(command: list[str]) -> list[list[str | None]]:
    found = argv.items(command)
    return [[item.flag, item.value] for item in found if item.key not in _MAY_DIFFER]
