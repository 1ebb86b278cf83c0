"""`lt auto --data.root DIR --minutes 30`: the best remedy for your pictures in that time."""

import argparse
import contextlib
import gc
import logging
import math
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from lt_lightning.auto import Course, HeldOut, Record, recipe
from lt_lightning.auto.given import MOST, OWN, USAGE, Given
from lt_lightning.auto.works import LOG
from lt_lightning.cli.run_data import data_of_files, data_of_run
from lt_lightning.cli.words.arguments import CommandParser
from lt_lightning.data import LongTailDataModule
from lt_lightning.engine.predictor import Predictor
from lt_lightning.errors import Refused, UserError
from lt_lightning.home import home
from lt_lightning.metrics.prediction import predicted_class
from lt_lightning.post_hoc.outputs import held_out_logits
from lt_lightning.report.command import report
from lt_lightning.runs import argv as argv_words
from lt_lightning.runs import config_files, launch, packaged
from lt_lightning.runs import folder as run_folder
from lt_lightning.runs.config import config_of
from lt_lightning.runs.signals import Stopped

log = logging.getLogger("lt_lightning")
# One process does all, and the length of each training is the course's own matter.
_ALONE = ("--trainer.devices=1", "--trainer.num_nodes=1", "--trainer.strategy=auto")
_SHARES = ("data.holdout.fraction", "data.holdout.per_class")
_CHOICE = ("model.backbone", "data.source.image_size")  # of network and size


def _parse(argv: list[str]) -> argparse.Namespace:
    more = "Options --data.*, --model.backbone.*, --trainer.*, --config and --seed_everything are "
    more += f"those of lt fit; --{MOST} is the most that a network is trained."
    parser = CommandParser(USAGE, __doc__, more)
    add = parser.add_argument
    add("--minutes", type=float, default=30.0, help="time for all of it, over all its commands")
    add("--name", help="of its folder, auto-DIR where nothing is said")
    add("--runs", default="runs", metavar="DIR", help="folder of all runs")
    return parser.parse_args(argv)


def auto(argv: list[str]) -> None:
    """Train, compare on held-out images, calibrate, test once, and leave a model to take away.

    Raises:
        Refused: if an option is none of its own.
        UserError: if there is no time for a baseline, or it failed.
    """
    began = time.time()
    own = [w for i in argv_words.items(argv) if not i.flag or i.key in OWN for w in i.words]
    options, given = _parse(own), Given.read(argv)
    if not (math.isfinite(options.minutes) and options.minutes > 0):
        raise Refused(f"--minutes is {options.minutes:g}: give a number above 0, such as 30.")
    if launch.rank() != "0":
        raise Refused("lt auto runs in one process: start it once, without torchrun or srun.")
    name = options.name or _name(given)
    run_folder.check_names(options.runs, name, None)
    data, look, laid = _look(given)
    folder = Path(options.runs) / name
    most = _most(laid)
    run_folder.occupy(folder, "--name")
    record = Record.open(folder, given.words, options.minutes, given.digests())
    works = _Works(folder, argv, data)
    works.say(look.told())
    Course(folder, record, laid, most, look.test_share, works).go(began)


def _name(given: Given) -> str:
    root = given.value("data.root")
    if root is not None:
        return f"auto-{home(root).resolve().name or 'root'}"
    return "-".join(["auto", *(Path(file).stem for file in argv_words.files(given.words))])


def _look(given: Given) -> tuple[LongTailDataModule, recipe.Look, list[str]]:
    """Return the data, what is known of the pictures, and what is laid over every step.

    Raises:
        Refused: if no pictures are named, or none may be held out.
        UserError: if they cannot be trained on.
    """
    if not (given.says("data.root") or given.says("data.source")):
        raise Refused(
            f"lt auto needs your pictures: {USAGE}, of a folder with train/<class>/* and "
            "test/<class>/*, or with <class>/*."
        )
    base = recipe.words_of(recipe.Look(0, 0.0, None))
    share = () if any(map(given.says, _SHARES)) else recipe.HELD_OUT
    more = recipe.test_split(_data([*base, *share, *given.words]))
    data = _data([*base, *share, *more, *given.words])
    if not data.has_validation:
        raise Refused("lt auto chooses on held-out images: leave out --data.holdout null.")
    if share:  # images are counted before those are held out
        data = _data([*base, *more, *given.words, "--data.holdout=null"])
    if given.says("data.holdout") or not data.source.has_validation(data.root):
        more += share
    own_choice = given.names("data.source") or any(map(given.says, _CHOICE))
    look = recipe.look_at(data, own_choice)
    laid = [*recipe.words_of(look), *more, *given.words]
    return _data(laid), look, [*laid, *_ALONE]


def _data(words: list[str]) -> LongTailDataModule:
    """Return the data that configs and options ask for, before any image is read."""
    contents = config_files.check(packaged.in_full(words))
    below = [w for i in argv_words.items(words) if i.is_below("data") for w in i.words]
    return data_of_files(list(contents.values()), below, "lt auto")


def _most(laid: Sequence[str]) -> int:
    """Return the epochs that a network is trained at most, and take them off the options."""
    files = config_files.check(packaged.in_full(laid)).values()
    found: Any = [
        part.get("max_epochs") for c in files if isinstance(part := c.get("trainer"), dict)
    ]
    given = [item.value for item in argv_words.items(laid) if item.key == MOST]
    known = [most for most in (*found, *given) if most is not None]
    try:
        most = int(known[-1])
    except (TypeError, ValueError):
        most = 0
    if most < 1:
        raise Refused(f"{MOST} is {known[-1]}: give the epochs of a training at most, 1 or more.")
    return most


class _Works:
    """Runs the steps in this process, their words in a log file.

    In this process, for a kill ends all of it at once, Ctrl-C reaches the training, which saves
    and leaves between two steps, and nothing is imported again.
    """

    def __init__(self, folder: Path, argv: Sequence[str], data: LongTailDataModule) -> None:
        self.folder, self.argv, self._asked = folder, ["auto", *argv], data
        self._data: LongTailDataModule | None = None

    def prepare(self) -> None:
        """Fetch and decode the images, into the cache that each step finds them in."""
        with self._quietly():
            self._asked.prepare_data()

    def lt(self, words: Sequence[str]) -> None:
        """Run a command of `lt`."""
        from lt_lightning.cli import explained

        try:
            with self._quietly():
                sys.stderr.write(f"$ lt {' '.join(words)}\n")
                explained(list(words))
        except (Refused, Stopped):
            raise
        except SystemExit as stop:
            raise UserError(f"the command ended with status {stop.code}") from stop
        finally:
            launch.note_command(self.argv)
            gc.collect()  # a network and its optimizer go before the next ones come

    def held_out(self, run: Path) -> HeldOut:
        """Look at the held-out images with a run; they are read once."""
        _, checkpoint = run_folder.of_run(str(run))
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        with self._quietly():
            if self._data is None:
                self._data = data_of_run(config_of(run), [], "lt auto")
            model = Predictor.read(checkpoint, device).model
            logits, labels = held_out_logits(model, self._data)
        right = (predicted_class(logits) == labels).tolist()
        return HeldOut(labels.tolist(), "".join(map(str, map(int, right))), model.class_names)

    def report(self, runs: Sequence[Path], out: Path) -> None:
        """Write the page."""
        text, status = report([*map(str, runs), "--out", str(out), "--force"])
        if status:
            self.say(text)

    def say(self, line: str) -> None:
        """Print a line at once."""
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    @contextlib.contextmanager
    def _quietly(self) -> Iterator[None]:
        """Let what is printed and logged go into the log of the course."""
        handlers = [
            (one, one.stream) for one in log.handlers if isinstance(one, logging.StreamHandler)
        ]
        with (self.folder / LOG).open("a", encoding="utf-8", buffering=1) as stream:
            for handler, _ in handlers:
                handler.setStream(stream)
            try:
                with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
                    yield
            finally:
                for handler, own in handlers:
                    handler.setStream(own)
