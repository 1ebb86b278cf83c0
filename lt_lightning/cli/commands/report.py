"""`lt report RUNS` with what is seen on the images first: --features and --mistakes."""

import argparse
import logging
import sys
from pathlib import Path

import torch

from lt_lightning.cli.commands import features, mistakes
from lt_lightning.errors import Refused, UserError
from lt_lightning.report.command import check_out, parse, report
from lt_lightning.report.mistakes_file import FILE_NAME
from lt_lightning.report.table import find_runs
from lt_lightning.runs import argv as words

log = logging.getLogger("lt_lightning")


def report_on_images(argv: list[str]) -> None:
    """Write what was asked for into each run folder, then report.

    Raises:
        Refused: if the command line is not understood.
        UserError: for --features, if a run has no checkpoint, or its images are not there.
    """
    own, of_data = words.apart(argv, "data")
    options = parse(own)
    if isinstance(options, str):
        raise Refused(options)
    check_out(options)  # before any image is looked at
    folders = find_runs(options.runs, options.newest).finished
    left_out = _make(options, folders, of_data)
    text, status = report(own, left_out)
    if status:
        raise UserError(text.removeprefix("lt: "))
    made = [folder / features.FIGURE for folder in folders if options.features]
    if options.mistakes:
        made += [folder / FILE_NAME for folder in folders if folder not in left_out]
    sys.stdout.write(f"{text}\n" + "".join(f"  {file}\n" for file in made))


def _make(options: argparse.Namespace, folders: list[Path], of_data: list[str]) -> dict[Path, str]:
    """Return why the mistakes of a run are not shown, for those of which they are not."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    left_out = {}
    for number, folder in enumerate(folders, 1):
        which = f"run {number} of {len(folders)}, {folder}"
        if options.features:
            log.info("features of %s", which)
            features.make(folder, of_data, device)
        if options.mistakes:
            log.info("mistakes of %s", which)
            why = mistakes.make(folder, of_data, device, options.mistakes)
            if why:
                log.warning("the pictures of %s are not shown: %s", folder, why)
                left_out[folder] = why
    return left_out
