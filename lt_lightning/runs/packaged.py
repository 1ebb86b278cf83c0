"""The configs that come with the package, by their names: bbn, data/digits."""

import logging
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from lt_lightning.runs import argv as words

log = logging.getLogger("lt_lightning")

_INSIDE = Path(__file__).parents[1] / "configs"  # in an installed package
_BESIDE = Path(__file__).parents[2] / "configs"  # in a checkout
_FOLDER = "configs/"  # as the documents write it


@cache
def configs() -> dict[str, Path]:
    """Return the files by their names, sorted."""
    folder = _INSIDE if _INSIDE.is_dir() else _BESIDE
    files = sorted(folder.rglob("*.yaml"))
    return {file.relative_to(folder).with_suffix("").as_posix(): file for file in files}


def find(name: str) -> Path | None:
    """Return the file of a name, or of what stands in a checkout: configs/bbn.yaml."""
    return configs().get(name.removeprefix(_FOLDER).removesuffix(".yaml"))


def in_full(argv: Sequence[str]) -> list[str]:
    """Return a command line whose configs are files; a file of that path comes first."""
    found: list[str] = []
    for item in words.items(argv):
        name = str(item.value)
        file = None if not item.is_file or Path(name).is_file() else find(name)
        if file is None:
            found += item.words
            continue
        if name not in configs():
            log.warning("There is no file %s here: that of the package is taken.", name)
        found.append(f"{words.CONFIG}={file}")
    return found
