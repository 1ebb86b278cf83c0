"""`lt predict RUN --images DIR --out FILE`: classify the images of a folder."""

import argparse
import csv
import io
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import torch
from rich.progress import track
from torch import Tensor

from lt_lightning import methods
from lt_lightning.augment import Normalize
from lt_lightning.data.decode import read_image
from lt_lightning.data.folder import SUFFIXES, images_below
from lt_lightning.engine.float32 import exact
from lt_lightning.engine.load import load_model
from lt_lightning.errors import Refused, UserError
from lt_lightning.metrics.prediction import NO_CLASS, predicted_class
from lt_lightning.runs import checkpoint as checkpoint_file
from lt_lightning.runs import folder as run_folder
from lt_lightning.runs import lock
from lt_lightning.runs.checkpoint import DATA_STATE
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
    files = images_below(folder)
    if not files:
        kinds = ", ".join(sorted(SUFFIXES))
        raise UserError(f"--images {folder} holds no image: give a folder of {kinds}.")
    out, device = Path(options.out), device_of(options.device)
    if out.is_dir():
        raise UserError(f"--out {out} is a folder: give a CSV file.")
    lock.take_output(out)
    if out.exists() and not options.force:
        raise UserError(f"--out {out} exists: add --force, or give another name.")
    _, checkpoint = run_folder.of_run(options.run, options.best)
    content = checkpoint_file.read(checkpoint)
    model = load_model(content, checkpoint).to(device).eval()
    state = content[DATA_STATE]
    rows = _rows(model, state, files, options)
    _write(out, model.class_names, rows, folder)


def device_of(name: str) -> torch.device:
    """Return the device of that name.

    Raises:
        UserError: if there is none.
    """
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UserError(f"--device is {name!r}: give cpu, cuda, or cuda:1, say.") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise UserError(f"--device is {name!r} but there is no GPU here: give cpu.")
    return device


def _rows(
    model: methods.LongTailModule,
    state: dict[str, Any],
    files: list[Path],
    options: argparse.Namespace,
) -> Iterator[tuple[Path, Tensor]]:
    normalize = Normalize(state["mean"], state["std"])  # as the data module does
    batch: list[tuple[Path, Tensor]] = []
    skipped: list[Path] = []
    for number, file in enumerate(track(files, description=f"Classifying {len(files)} images")):
        try:
            batch.append((file, read_image(file, state["image_size"])))
        except UserError:
            if not options.skip_unreadable:
                raise UserError(
                    f"The image {file} cannot be read: remove it, or add --skip_unreadable."
                ) from None
            skipped.append(file)
        if len(batch) == options.batch_size or (batch and number == len(files) - 1):
            images = normalize(torch.stack([image for _, image in batch]).to(model.device))
            with torch.inference_mode(), exact(model.device):
                logits = model.predict_logits(images).float().cpu()
            yield from zip([file for file, _ in batch], logits, strict=True)
            batch = []
    if skipped:
        log.warning(
            "%d of %d images cannot be read and are left out, such as %s.",
            len(skipped),
            len(files),
            skipped[0],
        )


def _write(out: Path, names: list[str], rows: Iterator[tuple[Path, Tensor]], folder: Path) -> None:
    with whole_file(out, "predict again, or give another --out") as stream:
        text = io.TextIOWrapper(stream, "utf-8", "backslashreplace", newline="")
        writer = csv.writer(text)
        writer.writerow(["file", "class", "confidence", *(f"p:{name}" for name in names)])
        for file, logits in rows:
            best = int(predicted_class(logits[None]))
            if best == NO_CLASS:
                raise UserError(
                    f"The run gives no finite numbers for the image {file}: nothing is written, "
                    "use another run."
                )
            # In float64, where a chance of e^-500 is not 0; nine digits name one float32.
            numbers = [f"{value:.9g}" for value in logits.double().softmax(dim=0).tolist()]
            writer.writerow([file.relative_to(folder), names[best], numbers[best], *numbers])
        text.detach()  # written out, and left to be closed
