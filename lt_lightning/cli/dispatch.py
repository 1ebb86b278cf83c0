"""The commands that need torch."""

import logging
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from lt_lightning.errors import Refused
from lt_lightning.runs import argv as words
from lt_lightning.runs import config_files, launch, leftovers, packaged, tasks
from lt_lightning.runs import folder as run_folder
from lt_lightning.runs.config import config_of
from lt_lightning.runs.machine import without_gpu
from lt_lightning.runs.yaml_file import yaml_text

_IDLE_WARNINGS = (
    # jsonargparse is given the arguments by us, and not by accident.
    ".*LightningCLI's args parameter.*",
    # A login node has srun on its path without a job.
    ".*`srun` command is available.*",
    # Lightning 2.6 calls a name that torch 2.14 has renamed.
    ".*treespec, LeafSpec.*",
    # ... and some that jsonargparse 4 has renamed; the texts begin on their second line.
    r"(?s).*(JsonargparseDeprecationWarning|deprecated in v4.* removed in\s+v5).*",
    # Metrics are logged per epoch, whatever the number of steps.
    ".*smaller than the logging interval.*",
    # Images in memory need no workers.
    ".*does not have many workers.*",
    # Frozen layers are in eval mode on purpose.
    r".*module\(s\) in eval mode at the start.*",
    # A test needs none of the callbacks that the training had.
    ".*callbacks used to create the checkpoint need to be provided.*",
    # A trial run (fast_dev_run) asks for a validation split also where there is none.
    ".*Total length of `list` across ranks is zero.*",
    # Weights in shards are refused beside it, and others are left whole.
    ".*WeightAveraging callback with a model that overrides.*",
    # Pictures of more than 89 megapixels are the user's own; those of twice as many are refused.
    ".*could be decompression bomb DOS attack.*",
)
_SHARES = "target_prior"
_QUESTIONS = ("--help", "-h", "--print_config")


def run(argv: list[str]) -> Path | None:
    """Run the command `argv[0]`, and return the folder of the run that it trained, if any.

    Raises:
        Refused: if the command line, or a file on it, is not understood.
    """
    argv = packaged.in_full(argv)
    command, rest = argv[0], argv[1:]
    run_command = _own(command)
    if run_command is not None:
        tasks.check_alone(command)
        quiet()
        run_command(rest)
        return None
    files = config_files.check(rest)
    if command == "fit":
        return _start([command, *rest], None, files)
    best, rest = words.first_below(rest, "best") is not None, words.without(rest, "best")
    if not rest or rest[0].startswith("-"):
        if not any(item in _QUESTIONS or item.endswith(".help") for item in rest):
            raise Refused(
                f"lt {command} needs a run: write its folder first, such as lt {command} "
                "runs/bbn-digits/0."
            )
        _start([command.replace("calibrate", "test"), *rest], None, files)
        return None
    if words.first_below(rest, "ckpt_path"):
        raise Refused(
            f"lt {command} takes the checkpoint as its run: lt {command} RUN/checkpoints/last.ckpt."
        )
    if command == "calibrate":
        from lt_lightning.cli.commands.calibrate import calibrate

        own = words.first_below(rest, "post_hoc")
        if own:
            raise Refused(f"lt calibrate fits its own changes, leave out {own}: lt test takes it.")
        calibrate(
            rest[0], best, rest[1:], lambda more: _on_run("test", rest[0], best, more, files, False)
        )
        return None
    _on_run(command, rest[0], best, rest[1:], files)
    return None


def _own(command: str) -> Callable[[list[str]], None] | None:
    """Return a command that does not build a run by LightningCLI; imported where asked for."""
    if command == "predict":
        from lt_lightning.cli.commands.predict import predict as found
    elif command == "auto":
        from lt_lightning.cli.commands.auto import auto as found
    elif command == "data":
        from lt_lightning.cli.commands.data import data as found
    elif command == "sweep":
        from lt_lightning.cli.commands.sweep import sweep as found
    elif command == "export":
        from lt_lightning.cli.commands.export import export as found
    elif command == "cam":
        from lt_lightning.cli.commands.cam import cam as found
    elif command == "report":
        from lt_lightning.cli.commands.report import report_on_images as found
    elif command == "dashboard":
        from lt_lightning.cli.commands.dashboard import dashboard as found
    else:
        return None
    return found


def _on_run(
    command: str,
    run: str,
    best: bool,
    more: Sequence[str],
    files: config_files.Files,
    answer: bool = True,
) -> None:
    """Run `command` on a finished run, with the options `more` over those of its config.

    Raises:
        Refused: if an option is for training alone.
    """
    training = words.first_below(more, "pretrain")
    if training is not None:
        raise Refused(f"{training} is for lt fit: lt {command} trains nothing, leave it out.")
    folder, checkpoint = run_folder.of_run(run, best)
    if command == "test":
        more = _with_shares(more)
        run_folder.occupy(folder)
    kept = config_of(folder)
    quiet()
    kept["trainer"] = without_gpu(kept["trainer"])
    with tempfile.TemporaryDirectory() as aside:
        config = Path(aside) / "config.yaml"
        config.write_text(yaml_text(kept), encoding="utf-8")
        given = ["--config", str(config), "--ckpt_path", str(checkpoint), "--verbose=false"]
        files = {folder / "config.yaml": kept, **files}
        _start([command, *given, *more], folder, files, answer)


def _with_shares(more: Sequence[str]) -> Sequence[str]:
    """Return the words in which `--target_prior FILE` is the change that it stands for."""
    own, given = words.apart(more, _SHARES)
    if not given:
        return more
    file = words.items(given)[-1].value
    if file is None:
        raise Refused(f"--{_SHARES} has no file: give one of class names and shares.")
    if words.first_below(own, "post_hoc"):
        raise Refused(
            f"lt test makes one change, and --{_SHARES} is one: save the other by --post_hoc NAME "
            f"--save_as NEW, then lt test that run with --{_SHARES}."
        )
    return [*own, "--post_hoc", "TargetPrior", f"--post_hoc.shares={file}"]


def _start(
    arguments: list[str], folder: Path | None, files: config_files.Files, answer: bool = True
) -> Path | None:
    """Give the command line to LightningCLI and return the folder of its run.

    A refusal names the file that it is about.
    """
    from lt_lightning.cli.app import LTCLI

    quiet()
    if folder is None:
        run_folder.forget_own()
    try:
        # Of a run the first file is its own config, which names the method.
        naming = config_files.naming_method(files) if folder is None else words.files(arguments)
        return LTCLI(words.files_first(arguments, naming), run=folder, answer=answer).folder
    except Refused as refused:
        file = refused.key and config_files.owner(files, arguments, refused.key)
        if not file:
            raise
        raise Refused(f"{file}: {refused.sentence}", refused.key) from refused
    finally:
        if folder is None:
            leftovers.give_back()


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
    own.setLevel(logging.INFO if launch.is_first() else logging.ERROR)
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for message in _IDLE_WARNINGS:
        warnings.filterwarnings("ignore", message)
