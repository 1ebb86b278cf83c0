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

_KEPT = ("seed_everything", "trainer", "model", "data")


def run(argv: list[str]) -> None:
    """Run the command `argv[0]`."""
    quiet()
    command, rest = argv[0], argv[1:]
    if command == "predict":
        from lt_lightning.cli.predict import predict

        predict(rest)
        return
    from lt_lightning.cli.app import LTCLI

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
            [command, "--config", str(config), "--ckpt_path", str(checkpoint), *rest[1:]],
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
    """Show our own log and Lightning's warnings, not its advertisements."""
    logging.basicConfig(format="%(message)s", stream=sys.stderr, level=logging.WARNING)
    logging.getLogger("lt_lightning").setLevel(
        logging.INFO if int(os.environ.get("LOCAL_RANK", "0")) == 0 else logging.WARNING
    )
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # Lightning speaks of DataLoader workers and of loggers that the house sets on purpose.
    warnings.filterwarnings("ignore", ".*does not have many workers.*")
    warnings.filterwarnings("ignore", ".*LightningCLI's args parameter.*")
    warnings.filterwarnings("ignore", ".*srun` command is available.*")
    # The learning rate of a resumed run is set by the scheduler's own state.
    warnings.filterwarnings("ignore", ".*lr_scheduler.step.*before.*optimizer.step.*")
