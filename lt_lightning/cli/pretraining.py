"""A pre-training before the run, in one command: a run of its own in the run's folder.

Two fits one after the other, not one that changes over: the pre-training has its own method, data
options, schedule, checkpoints and results, is resumed like any run, and what the second fit does
is what it does with model.backbone_init.
"""

import logging
import shlex
import tempfile
from pathlib import Path
from typing import Any, Protocol

import yaml

from lt_lightning.errors import Finished, Refused
from lt_lightning.runs import argv, config_files, packaged
from lt_lightning.runs import folder as run_folder
from lt_lightning.runs.yaml_file import yaml_text

log = logging.getLogger("lt_lightning")

# Of the run, whatever the file of the pre-training says: the images, and what they are seen on.
_DATA = (
    "source", "root", "profile", "subset_seed", "holdout", "group_rule", "eval_batch_size",
    "normalize", "workers", "seed",
)  # fmt: skip
_TRAINER = (
    "accelerator", "strategy", "devices", "num_nodes", "precision", "fast_dev_run",
    "limit_train_batches", "limit_val_batches", "limit_test_batches", "deterministic", "benchmark",
    "sync_batchnorm", "enable_progress_bar", "detect_anomaly",
)  # fmt: skip
_MODEL = ("backbone", "channels_last", "compile")
# Of the run where the file of the pre-training has its own not.
_DATA_BELOW = ("augment", "drop_last")


class Parent(Protocol):
    """The run that a pre-training is a part of, as far as this file needs it."""

    argv: list[str]
    folder: Path | None
    resume: Path | None

    @property
    def options(self) -> Any:
        """The parsed config of the run."""

    def dumped(self) -> str:
        """Return that config as YAML."""

    def fit_part(self, words: list[str], folder: Path, command: list[str]) -> bool:
        """Fit and test in `folder` by the words of another command line; whether it ended."""

    def seed_again(self) -> None:
        """Seed everything as the run asks for."""


def check(options: Any) -> None:
    """Refuse options of a pre-training that nothing would look at, or that cannot be read.

    Raises:
        Refused: if there is one.
    """
    given = options.pretrain
    words = _words(given.options or "")
    if words and given.config is None:
        raise Refused(
            f"pretrain.options is {given.options!r} but there is no pre-training: give "
            "--pretrain.config too, such as configs/ssp_rotation.yaml.",
            "pretrain.options",
        )
    if given.config is not None and options.model.init_args.get("stage1_ckpt"):
        raise Refused(
            "stage1_ckpt and pretrain.config are both given: the first brings its backbone, so "
            "leave out the second.",
            "pretrain.config",
        )


def before(run: Parent) -> Path | None:
    """Run the pre-training of a run, if it has one that is not done, and return its checkpoint.

    None where there is no pre-training, or none any more: a run that goes on has its own weights.

    Raises:
        Refused: if a file or an option of the pre-training is not understood.
    """
    options = run.options
    model: Any = options.model.init_args
    if options.pretrain.config is None or run.resume or model.get("backbone_init"):
        return None
    assert run.folder is not None
    file = _find(options.pretrain.config, run.argv)
    options.pretrain.config = str(file)
    folder = run.folder / run_folder.PRETRAIN
    log.info("pre-training by %s in %s", file, folder)
    _run(run, file, folder)
    log.info("the run itself, in %s", run.folder)
    return None if options.trainer.fast_dev_run else run_folder.checkpoint_of(folder)


def _find(name: str, command: list[str]) -> Path:
    """Return the file from here, beside the files of the command line, or of the package."""
    places = [Path(name), *(path.parent / name for path in config_files.paths(command))]
    found = next((place for place in places if place.is_file()), None)
    return found or packaged.find(name) or places[0]


def _run(run: Parent, file: Path, folder: Path) -> None:
    """Fit and test the pre-training in `folder`, going on where it was stopped."""
    kept = yaml.safe_load(run.dumped())
    more = _words(run.options.pretrain.options or "")
    with tempfile.TemporaryDirectory() as aside:
        below, above = Path(aside) / "below.yaml", Path(aside) / "above.yaml"
        _write(below, {"data": _part(kept["data"], _DATA_BELOW)})
        _write(above, _of_run(kept))
        files = [word for path in (below, file, above) for word in ("--config", str(path))]
        content = config_files.check(files)[file]
        own = content.get("pretrain")
        nested = isinstance(own, dict) and bool(own.get("config"))
        if nested or argv.first_below(more, "pretrain"):
            raise Refused(
                f"The pre-training by {file} has a pre-training of its own: run it first, and give "
                "--model.backbone_init its folder."
            )
        try:
            ended = run.fit_part(
                ["fit", *files, *more, "--name", folder.name],
                folder,
                ["lt", "fit", "--config", str(file), *more],
            )
        except Finished:  # by an earlier command, with these very options
            run.seed_again()
            return
        except Refused as refused:  # without its key, which the files of the run may have too
            raise Refused(f"pre-training by {file}: {refused.sentence}") from refused
    if not ended:
        raise KeyboardInterrupt
    run.seed_again()


def _words(text: str) -> list[str]:
    """Return the options of a text as words of a command line."""
    try:
        words = shlex.split(text)
    except ValueError:  # a quotation mark stands alone
        words = [text]
    bad = next((word for word in words if not word[:1].isalpha() or "=" not in word), None)
    if bad is not None:
        raise Refused(
            f"pretrain.options has {bad!r}: give KEY=VALUE, such as trainer.max_epochs=100.",
            "pretrain.options",
        )
    return [f"--{word}" for word in words]


def _of_run(kept: dict[str, Any]) -> dict[str, Any]:
    """Return the options of the run that are those of its pre-training too."""
    return {
        "seed_everything": kept["seed_everything"],
        "trainer": _part(kept["trainer"], _TRAINER),
        "model": {"init_args": _part(kept["model"]["init_args"], _MODEL)},
        "data": _part(kept["data"], _DATA),
        "checkpoint": {"every_n_steps": kept["checkpoint"]["every_n_steps"]},
    }


def _part(options: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: options[name] for name in names if name in options}


def _write(file: Path, content: dict[str, Any]) -> None:
    file.write_text(yaml_text(content), encoding="utf-8")
