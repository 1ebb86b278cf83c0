"""`lt export RUN --out DIR`: a model that needs nothing of this package."""

import argparse
import sys
from pathlib import Path

import torch

from lt_lightning.cli.post_hoc import parsed
from lt_lightning.cli.words.arguments import CommandParser
from lt_lightning.engine.predictor import Predictor
from lt_lightning.export import formats
from lt_lightning.export.folder import export as write
from lt_lightning.post_hoc.finished import CALIBRATIONS, changes_of, evaluation_of
from lt_lightning.runs import folder as run_folder
from lt_lightning.runs import lock
from lt_lightning.runs.argv import apart


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = CommandParser("lt export RUN --format onnx --out DIR", __doc__)
    add = parser.add_argument
    add("run", metavar="RUN", help="a run folder, or a checkpoint in it")
    add("--format", choices=tuple(formats.FILES), default="onnx", help="of the network")
    add("--out", required=True, metavar="DIR", help="folder to make")
    add("--best", action="store_true", help="best.ckpt instead of last.ckpt")
    add("--post_hoc", metavar="CLASS", help="change without training: --post_hoc LogitAdjuster")
    kinds = tuple(CALIBRATIONS)
    add("--calibrated", nargs="?", const=kinds[0], choices=kinds, help="as lt calibrate fitted it")
    add("--target_prior", metavar="FILE", help="class shares where it is used, see lt predict")
    return parser.parse_args(argv)


def export(argv: list[str]) -> None:
    """Write the network, a README, a model card and the class names into a new folder."""
    own, of_change = apart(argv, "post_hoc")
    options = _parse(own)
    formats.check(options.format)
    out = Path(options.out)
    lock.take_output(out)
    folder, checkpoint = run_folder.of_run(options.run, options.best)
    asked = parsed(of_change, "lt export")
    changes = changes_of(folder, checkpoint, asked, options.calibrated, options.target_prior)
    run = Predictor.read(checkpoint, torch.device("cpu"), changes)
    label = evaluation_of(folder, checkpoint, run.changes, run.added)
    by = write(options.format, run, folder, label, out)
    sys.stdout.write(f"{out}: {formats.FILES[options.format]}, compared with the run by {by}\n")
