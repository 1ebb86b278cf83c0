"""Training by a config, as `lt fit` does."""

import signal
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lt_lightning.api.options import words
from lt_lightning.api.run import Run, load_run
from lt_lightning.cli import execute
from lt_lightning.errors import Refused, UserError
from lt_lightning.runs.signals import Stopped


def fit(config: str | Path | Sequence[str | Path], **overrides: Any) -> Run:
    """Train and test by a config, as `lt fit --config CONFIG --key value` does, and return the run.

    The run folder is that of the command, which it names. Keys are those of `lt fit --help`:

        fit(["ce", "data/digits"], trainer={"max_epochs": 20}, model__loss="LDAM")
        fit("mine.yaml", **{"data.profile.imbalance_ratio": 50})

    Args:
        config: a .yaml file, or the name of one of this package, such as "bbn" or "data/digits";
            of several each lies over those before it.
        overrides: options over the config, nested or with two underscores for a dot; a class by
            its name, its path or as the class itself.

    Raises:
        UserError: if the command would be refused or fail, with its sentence.
        KeyboardInterrupt: if it was interrupted; `ckpt_path="last"` goes on.
    """
    files = [config] if isinstance(config, str | Path) else config
    if not isinstance(files, list | tuple) or not all(isinstance(f, str | Path) for f in files):
        raise UserError(f"config is {str(config)[:80]!r}: give the name of a config, or a list.")
    try:
        named = [word for file in files for word in ("--config", str(file))]
        with warnings.catch_warnings():  # the command passes over some of Lightning's
            folder = execute(["fit", *named, *words(overrides)])
    except Refused as refused:
        raise UserError(refused.sentence) from refused
    except Stopped as stopped:
        # What came is for the whole program: it gets what it would have got without us.
        signal.raise_signal(stopped.number)
        raise UserError(stopped.sentence) from stopped
    except SystemExit as stop:
        raise UserError(f"lt fit ended with status {stop.code} and trained nothing.") from stop
    if folder is None or not folder.is_dir():
        raise UserError("This was a trial, which leaves no run: take out trainer.fast_dev_run.")
    return load_run(folder)
