"""The commands that need torch."""

import logging
import os
import sys
import tempfile
import warnings
from pathlib import Path

import yaml

from lt_lightning.cli import run_folder
from lt_lightning.errors import UserError

_IDLE_WARNINGS = (
    # jsonargparse is given the arguments by us, and not by accident.
    ".*LightningCLI's args parameter.*",
    # A login node has srun on its path without a job.
    ".*`srun` command is available.*",
    # Lightning 2.6 calls a name that torch 2.14 has renamed.
    ".*treespec, LeafSpec.*",
    # Metrics are logged per epoch, whatever the number of steps.
    ".*smaller than the logging interval.*",
    # Images in memory need no workers.
    ".*does not have many workers.*",
)
_KEPT = ("seed_everything", "trainer", "model", "data")


def run(argv: list[str]) -> None:
    """Run the command `argv[0]`."""
    command, rest = argv[0], argv[1:]
    if command == "predict":
        from lt_lightning.cli.predict import predict

        quiet()
        predict(rest)
        return
    from lt_lightning.cli.app import LTCLI

    quiet()

    if command == "fit" or not rest or rest[0].startswith("-"):
        run_folder.forget_own()
        LTCLI([command, *rest])
        return
    best = "--best" in rest
    rest = [item for item in rest if item != "--best"]
    folder, checkpoint = run_folder.of_run(rest[0], best)
    with tempfile.TemporaryDirectory() as aside:
        config = Path(aside) / "config.yaml"
        config.write_text(_config_of(folder), encoding="utf-8")
        LTCLI(
            [command, "--config", str(config), "--ckpt_path", str(checkpoint), "--verbose=false"]
            + rest[1:],
            run=folder,
            best=checkpoint.name == "best.ckpt",
        )


def _config_of(folder: Path) -> str:
    """Return the part of a run's config that another command needs."""
    try:
        content = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
        kept = {key: content[key] for key in _KEPT}
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise UserError(
            f"{folder / 'config.yaml'} is damaged: it is the config that `lt fit` wrote."
        ) from error
    kept["trainer"] = {**kept["trainer"], "logger": False, "callbacks": None}
    return yaml.safe_dump(kept)


def quiet() -> None:
    """Show our own log and Lightning's warnings, not its advertisements.

    Called after Lightning is imported, which sets its own levels.
    """
    own = logging.getLogger("lt_lightning")
    if not own.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("lt: %(message)s"))
        own.addHandler(handler)
        own.propagate = False
    own.setLevel(logging.INFO if _first_process() else logging.ERROR)
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for message in _IDLE_WARNINGS:
        warnings.filterwarnings("ignore", message)


def _first_process() -> bool:
    return int(os.environ.get("LOCAL_RANK", os.environ.get("SLURM_LOCALID", "0"))) == 0
