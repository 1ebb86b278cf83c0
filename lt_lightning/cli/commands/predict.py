"""`lt predict RUN --images DIR --out FILE`: classify the images of a folder."""

import argparse
import csv
import io
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import torch
from rich.progress import track
from torch import Tensor

from lt_lightning.data.decode import Unreadable, read_image
from lt_lightning.data.files import KINDS, PassedOver, images_below
from lt_lightning.data.pixels import Reading
from lt_lightning.engine.predictor import Classified, Predictor
from lt_lightning.errors import Refused, UserError
from lt_lightning.runs import folder as run_folder
from lt_lightning.runs import lock
from lt_lightning.runs.files import whole_file

log = logging.getLogger("lt_lightning")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Refused(f"lt predict RUN --images DIR --out FILE: {message}.")


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = _Parser(prog="lt predict", allow_abbrev=False, description=__doc__)
    parser.add_argument("run", metavar="RUN", help="a run folder, or a checkpoint in it")
    parser.add_argument(
        "--images", required=True, metavar="DIR", help="folder of images, any depth"
    )
    parser.add_argument("--out", required=True, metavar="FILE", help="CSV file to write")
    parser.add_argument("--force", action="store_true", help="write over the file")
    parser.add_argument("--best", action="store_true", help="best.ckpt instead of last.ckpt")
    parser.add_argument("--batch_size", type=int, default=128)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument(
        "--skip_unreadable", action="store_true", help="leave out what cannot be read"
    )
    return parser.parse_args(argv)


def predict(argv: list[str]) -> None:
    """Write one row per image: file, class name, confidence, one probability per class."""
    options = _parse(argv)
    if options.batch_size < 1:
        raise UserError(f"--batch_size is {options.batch_size}: give 1 or more.")
    folder = Path(options.images)
    if not folder.is_dir():
        raise UserError(f"--images {folder} is not a folder: give a folder of images.")
    passed = PassedOver()
    files = images_below(folder, passed)
    if not files:
        raise UserError(f"--images {folder} holds no image: give a folder of {KINDS}.")
    passed.warn(folder)
    out, device = Path(options.out), device_of(options.device)
    if out.is_dir():
        raise UserError(f"--out {out} is a folder: give a CSV file.")
    lock.take_output(out)
    if out.exists() and not options.force:
        raise UserError(f"--out {out} exists: add --force, or give another name.")
    _, checkpoint = run_folder.of_run(options.run, options.best)
    run, skipped = Predictor.read(checkpoint, device), list[Path]()
    images = _images(files, run.image_size, run.reading, options.skip_unreadable, skipped)
    _write(out, run.class_names, run.classify(images, options.batch_size), folder)
    if skipped:
        log.warning(
            "%d of %d images cannot be read and are left out, such as %s.",
            len(skipped),
            len(files),
            skipped[0],
        )


def device_of(name: str, option: str = "--device") -> torch.device:
    """Return the device of that name.

    Args:
        name: such as cpu or cuda:1.
        option: what the message calls it.

    Raises:
        UserError: if there is none.
    """
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UserError(f"{option} is {name!r}: give cpu, cuda, or cuda:1, say.") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise UserError(f"{option} is {name!r} but there is no GPU here: give cpu.")
    return device


def _images(
    files: list[Path], size: int, reading: Reading, skip: bool, told: list[Path]
) -> Iterator[tuple[Path, Tensor]]:
    """Yield each file with its pixels; those that are left out go into `told`."""
    for file in track(files, description=f"Classifying {len(files)} images"):
        try:
            yield file, read_image(file, size, reading=reading)
        except Unreadable as error:
            if not skip:
                raise UserError(
                    f"The image {file} {error.fault}: remove it, or add --skip_unreadable."
                ) from None
            told.append(file)


def _write(out: Path, names: list[str], rows: Iterator[Classified[Path]], folder: Path) -> None:
    with whole_file(out, "predict again, or give another --out") as stream:
        text = io.TextIOWrapper(stream, "utf-8", "backslashreplace", newline="")
        writer = csv.writer(text)
        writer.writerow(["file", "class", "confidence", *(f"p:{name}" for name in names)])
        for row in rows:
            # Nine digits name one float32.
            numbers = [f"{value:.9g}" for value in row.probabilities.tolist()]
            file = row.name.relative_to(folder)
            writer.writerow([file, names[row.place], numbers[row.place], *numbers])
        text.detach()  # written out, and left to be closed
