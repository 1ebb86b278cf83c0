"""`lt predict RUN --images DIR --out FILE`: classify the images of a folder, a list or a CSV."""

import argparse
import logging
import os
import sys
from pathlib import Path

import torch

from lt_lightning.cli.post_hoc import parsed
from lt_lightning.cli.words.arguments import CommandParser
from lt_lightning.engine.device import device_of
from lt_lightning.engine.predictor import Predictor
from lt_lightning.errors import Incomplete, UserError
from lt_lightning.post_hoc.finished import CALIBRATIONS, changes_of
from lt_lightning.predictions import table
from lt_lightning.predictions.job import Job
from lt_lightning.predictions.pictures import Columns, pictures
from lt_lightning.predictions.tally import Tally
from lt_lightning.runs import folder as run_folder
from lt_lightning.runs import outputs
from lt_lightning.runs.argv import apart

log = logging.getLogger("lt_lightning")
_CHANGE = "post_hoc"
_THREADS = 8  # at most, where no number is given


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = CommandParser("lt predict RUN --images DIR --out FILE", __doc__)
    add = parser.add_argument
    add("run", metavar="RUN", help="a run folder, or a checkpoint in it")
    images = "a folder at any depth, an image, a .txt of paths, or a .csv with a column of them"
    add("--images", required=True, metavar="DIR", help=images)
    add("--out", required=True, metavar="FILE", help="file to write, .csv or .parquet")
    add("--force", action="store_true", help="write over the file")
    add("--best", action="store_true", help="best.ckpt instead of last.ckpt")
    add("--top_k", type=int, default=1, metavar="K", help="name the K most probable classes")
    add("--no_probabilities", action="store_true", help="leave out the column of each class")
    add("--post_hoc", metavar="CLASS", help="change without training: --post_hoc LogitAdjuster")
    calibrated = "as lt calibrate fitted it: temperature (where nothing is said) or vector"
    kinds = tuple(CALIBRATIONS)
    add("--calibrated", nargs="?", const=kinds[0], choices=kinds, help=calibrated)
    shares = "class shares of these images (.csv, .txt, .json, .yaml of names and numbers)"
    add("--target_prior", metavar="FILE", help=shares)
    add("--path_column", metavar="NAME", help="column of a CSV that names the files")
    add("--label_column", metavar="NAME", help="column of a CSV that names the classes")
    add("--batch_size", type=int, default=128, help="images at once")
    threads = min(_THREADS, os.cpu_count() or 1)
    add("--threads", type=int, default=threads, help="threads that decode")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    add("--device", default=device, help="where the network runs")
    left_out = "leave out what cannot be read; the exit status is 3 then"
    add("--skip_unreadable", action="store_true", help=left_out)
    return parser.parse_args(argv)


def predict(argv: list[str]) -> None:
    """Write one row per image: file, class, confidence, one probability per class.

    Raises:
        Incomplete: if images were left out, as asked.
    """
    own, of_change = apart(argv, _CHANGE)
    options = _parse(own)
    for name in ("batch_size", "threads", "top_k"):
        value = vars(options)[name]
        if value < 1:
            raise UserError(f"--{name} is {value}: give 1 or more.")
    out, device = Path(options.out), device_of(options.device)
    given = pictures(Path(options.images), Columns(options.path_column, options.label_column))
    _check_out(out, Path(options.images), options.force)
    folder, checkpoint = run_folder.of_run(options.run, options.best)
    asked = parsed(of_change, "lt predict")
    changes = changes_of(folder, checkpoint, asked, options.calibrated, options.target_prior)
    run = Predictor.read(checkpoint, device, changes)
    if options.top_k > len(run.class_names):
        raise UserError(
            f"--top_k is {options.top_k} but the run has {len(run.class_names)} classes: give as "
            "many at most."
        )
    layout = table.Layout(
        names=run.class_names,
        top_k=options.top_k,
        probabilities=not options.no_probabilities,
        labels=given.labelled,
    )
    tally = Tally(len(run.class_names), run.model.test_stats.groups)
    job = Job(run, tally, options.batch_size, options.threads, options.skip_unreadable)
    job.write(given.stream, out, layout)
    _say(job)


def _check_out(out: Path, images: Path, force: bool) -> None:
    outputs.take_file(out, force)
    if out.exists() and images.exists() and out.samefile(images):
        raise UserError(f"--out {out} is what --images names: give another name.")
    table.check(out)


def _say(job: Job) -> None:
    if job.tally.images:
        sys.stdout.write(f"{job.tally.told()}\n")
    if job.skipped:
        log.warning(
            "%d of %d images cannot be read and are left out; the first: %s.",
            job.skipped,
            job.seen,
            job.first_skipped,
        )
        raise Incomplete
