"""When and with what a run began, without YAML, which a short table has no time for."""

import re
from collections.abc import Sequence
from pathlib import Path

from lt_lightning.report.options import EARLIER, given
from lt_lightning.runs.kept_configs import BEGAN, last_file
from lt_lightning.runs.results import FILE_NAME

_TAKEN = re.compile(r"^ *(stage1_ckpt|backbone_init): (?!null\b|''|\"\")", re.MULTILINE)


def begun(folder: Path) -> float:
    """Return when the run of a folder was begun: a later test writes its results again."""
    config = folder / BEGAN
    return (config if config.is_file() else folder / FILE_NAME).stat().st_mtime


def took_over(folder: Path, command: Sequence[str]) -> bool:
    """Return whether a run began with the weights of another, as its config or command says."""
    config = last_file(folder)
    if config.is_file():
        return bool(_TAKEN.search(config.read_text(encoding="utf-8", errors="replace")))
    options = dict(given([str(word) for word in command]))
    return any(options.get(key, "null") not in ("", "null") for key in EARLIER)
