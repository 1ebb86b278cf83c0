"""The model of a run with changes, kept for the next images."""

from collections.abc import Sequence
from pathlib import Path

import torch

from lt_lightning.engine.changes import Added
from lt_lightning.engine.hyper_parameters import is_plain
from lt_lightning.engine.predictor import Predictor
from lt_lightning.home import home


class Changed:
    """Builds a changed model once, and keeps the last one: each is a whole network."""

    def __init__(self) -> None:
        self._key: str | None = None
        self._last: Predictor | None = None

    def of(self, added: Sequence[Added], checkpoint: Path, device: torch.device) -> Predictor:
        """Return the predictor of `checkpoint` with the changes `added`."""
        key = _key(added, checkpoint, device)  # before the changes take what they were fitted
        if self._last is None or key is None or key != self._key:
            self._key, self._last = None, Predictor.read(checkpoint, device, added)
            self._key = key
        return self._last


def _key(added: Sequence[Added], checkpoint: Path, device: torch.device) -> str | None:
    """Return what tells these changes from others; none where that cannot be told."""
    parts = [str(device), *_file(checkpoint)]
    for one in added:
        options = vars(one.change)
        if not all(map(is_plain, options.values())):
            return None  # of a class from outside
        values = {} if one.values is None else {k: v.tolist() for k, v in one.values.items()}
        kind = type(one.change)
        parts += [f"{kind.__module__}.{kind.__qualname__}", repr(options), repr(values)]
        for value in options.values():
            parts += _file(home(value)) if isinstance(value, str) else []
    return repr(parts)


def _file(path: Path) -> list[str]:
    """Return the state of a file: it may say something else the next time."""
    if not path.is_file():
        return []
    stat = path.stat()
    return [str(path), str(stat.st_mtime_ns), str(stat.st_size)]
