"""`lt cam RUN`: new training images for the rare classes, from what a trained run looks at.

With --mistakes: what it looks at in the test images that it gets wrong.
"""

import argparse
import hashlib
import json
import logging
import sys
from pathlib import Path
from typing import Any

import torch

from lt_lightning import shell
from lt_lightning.cam import class_weight
from lt_lightning.cam.make import Maker, TrainingImages, is_made, write
from lt_lightning.cli.commands.cam_mistakes import draw_mistakes
from lt_lightning.cli.run_data import data_of_checkpoint, options_of_run
from lt_lightning.cli.tested import Asked
from lt_lightning.cli.words.arguments import CommandParser
from lt_lightning.data import LongTailDataModule
from lt_lightning.data.added_images import AddedImages
from lt_lightning.data.decode import cache_folder
from lt_lightning.engine.device import device_of
from lt_lightning.engine.load import load_model
from lt_lightning.engine.seen_data import check_same
from lt_lightning.errors import Refused, UserError
from lt_lightning.report.command import MOST
from lt_lightning.runs import argv as words
from lt_lightning.runs import checkpoint as checkpoint_file
from lt_lightning.runs import folder as run_folder
from lt_lightning.runs import lock
from lt_lightning.runs.config import config_of
from lt_lightning.runs.files import write_whole
from lt_lightning.runs.yaml_file import yaml_text

_THRESHOLD = 0.75
DATA = "data.yaml"  # beside the images: the data that they go with, for a training on both
log = logging.getLogger("lt_lightning")
# How the training draws and changes its images is a matter of the method, not of the data.
_OF_METHOD = ("sampler", "samplers", "views", "augments", "added_images", "unlabelled", "test_root")


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = CommandParser(
        "lt cam RUN [--out DIR] [--mistakes N]",
        __doc__,
        epilog="Options of the data, such as --data.root DIR, lie over those of the run.",
    )
    parser.add_argument("run", metavar="RUN", help="a run folder, or a checkpoint in it")
    parser.add_argument("--out", metavar="DIR", help="a new folder; by default in the cache")
    parser.add_argument(
        "--per_class",
        type=int,
        metavar="N",
        help="images each class is to have, old and new; by default as many as the largest has",
    )
    parser.add_argument(
        "--threshold",
        type=float,
        help="a place is foreground where the map is at least so many times its mean (0.75)",
    )
    parser.add_argument(
        "--mistakes",
        type=int,
        metavar="N",
        help="no new images: the N most confident mistakes on test images, one picture each, with "
        "the maps of the class they are taken for and of their own, in the new folder --out",
    )
    parser.add_argument("--seed", type=int, help="by default that of the run")
    parser.add_argument("--best", action="store_true", help="best.ckpt instead of last.ckpt")
    parser.add_argument("--batch_size", type=int, default=128, help="images at once")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    parser.add_argument("--device", default=device, help="where the network runs")
    options = parser.parse_args(argv)
    if options.mistakes is not None:
        _check_mistakes(options)
    options.threshold = _THRESHOLD if options.threshold is None else options.threshold
    for name, value in (("per_class", options.per_class), ("batch_size", options.batch_size)):
        if value is not None and value < 1:
            raise UserError(f"--{name} is {value}: give 1 or more.")
    if not 0 <= options.threshold <= 1:
        raise UserError(f"--threshold is {options.threshold}: give a number from 0 to 1.")
    return options


def _check_mistakes(options: argparse.Namespace) -> None:
    if not 1 <= options.mistakes <= MOST:
        raise UserError(f"--mistakes is {options.mistakes}: give 1 to {MOST}.")
    if options.out is None:
        raise Refused("--mistakes needs a new folder: add --out DIR.")
    for name in ("per_class", "threshold", "seed"):
        if vars(options)[name] is not None:
            raise Refused(f"--{name} is for new images, and --mistakes makes none: leave it out.")


def cam(argv: list[str]) -> None:
    """Write a folder of new images, and say what to do with it."""
    own, of_data = words.apart(argv, "data")
    options = _parse(own)
    device = device_of(options.device)
    folder, checkpoint = run_folder.of_run(options.run, options.best)
    content = checkpoint_file.read(checkpoint)
    model = load_model(content, checkpoint).to(device).eval()
    class_weight(model.head, model.num_classes)  # refused before any image is read
    if options.mistakes is not None:
        asked = Asked(folder, checkpoint, content, of_data, "lt cam")
        draw_mistakes(asked, model, options.mistakes, Path(options.out))
        return
    config = config_of(folder)
    data = data_of_checkpoint(folder, checkpoint, content, of_data, "lt cam")
    check_same(content, data)
    made = _made(options, config, folder, checkpoint)
    key = hashlib.sha256(json.dumps([made, data.facts()], sort_keys=True).encode()).hexdigest()
    name = f"{folder.parent.name}-{folder.name}-{key[:8]}"
    out = Path(options.out) if options.out else cache_folder() / "cam" / name
    lock.take_output(out)
    if not is_made(out, made):
        images = TrainingImages(data, device, options.batch_size)
        write(Maker(model, images, options.threshold), out, made)
    options_of_data = options_of_run(config, of_data, "lt cam")
    kept = {key: value for key, value in options_of_data.items() if key not in _OF_METHOD}
    _write(out / DATA, yaml_text({"data": kept}).encode(), own=options.out is not None)
    _say(out, data)


def _write(file: Path, content: bytes, *, own: bool) -> None:
    """Write the config of the data, but not over what the user has made of it in a folder named."""
    if own and file.is_file() and file.read_bytes() != content:
        log.warning(
            "%s says something else than would be written now and is left as it is: remove it, "
            "and start the same command again, to have it written.",
            file,
        )
    else:
        write_whole(file, content)


def _made(
    options: argparse.Namespace, config: dict[str, Any], folder: Path, checkpoint: Path
) -> dict[str, Any]:
    """Return what decides how the images look, beside the images they are made from."""
    seed = options.seed if options.seed is not None else config["seed_everything"]
    return {
        "run": f"{folder.parent.name}/{folder.name}",
        "checkpoint": checkpoint.name,
        "weights": hashlib.sha256(checkpoint.read_bytes()).hexdigest()[:16],
        "seed": seed if type(seed) is int else 0,
        "per_class": options.per_class,
        "threshold": options.threshold,
    }


def _say(out: Path, data: LongTailDataModule) -> None:
    counts = torch.tensor(AddedImages(out).counts)
    after = counts + data.class_counts
    line = f"--config {shell.word(out / DATA)} --data.added_images {shell.word(out)}"
    sys.stdout.write(
        f"{int(counts.sum()):,} new images of {int((counts > 0).sum())} classes beside the "
        f"{int(data.class_counts.sum()):,} of the run: {int(after.min()):,} to "
        f"{int(after.max()):,} of a class.\n"
        f"Look at them: {out / 'contact_sheet.png'}\n"
        f"Train on them: lt fit --config cam_drs {line}\n"
    )
