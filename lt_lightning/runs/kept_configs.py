"""Which files of a run folder hold its configs; nothing is read here."""

import re
from pathlib import Path

BEGAN = "config.yaml"
_ON = re.compile(r"config-resumed-(\d{1,9})\.yaml")


def last_file(folder: Path) -> Path:
    """Return the file of the config that a run ended with: config.yaml where nothing changed it."""
    return max(later_files(folder), default=(0, folder / BEGAN))[1]


def next_file(folder: Path) -> Path:
    """Return the file of the next command that goes on by other options."""
    number = max((number for number, _ in later_files(folder)), default=0) + 1
    return folder / f"config-resumed-{number}.yaml"


def later_files(folder: Path) -> list[tuple[int, Path]]:
    """Return the files of the commands that went on by other options, each with its number."""
    files = folder.glob("config-resumed-*.yaml")
    return [(int(match[1]), file) for file in files if (match := _ON.fullmatch(file.name))]
