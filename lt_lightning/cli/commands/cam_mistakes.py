"""`lt cam RUN --mistakes N --out DIR`: what a run looks at in test images that it gets wrong."""

import sys
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import track
from torch import Tensor

from lt_lightning.cam import activation_maps
from lt_lightning.cam.mistakes import Mistake, draw
from lt_lightning.cli.tested import Asked, ImagesOfTest, Outcome
from lt_lightning.engine.float32 import exact
from lt_lightning.errors import UserError
from lt_lightning.figures.png import to_png
from lt_lightning.methods import LongTailModule
from lt_lightning.metrics.mistakes import worst_mistakes
from lt_lightning.runs import lock
from lt_lightning.runs.files import whole_folder

_SCREEN = Console(stderr=True)  # the answer alone goes to standard output


def draw_mistakes(asked: Asked, model: LongTailModule, most: int, out: Path) -> None:
    """Write a figure of each of the most confident mistakes into the new folder `out`.

    Args:
        asked: the weights and the data.
        model: with these weights, in evaluation mode.
        most: how many figures, at most.
        out: a folder that is absent or empty.

    Raises:
        UserError: if it holds anything, the images are gone, or none is wrong.
    """
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise UserError(f"--out {out} exists and is never overwritten: give a new folder.")
    lock.take_output(out)
    tested = ImagesOfTest(asked)
    outcome = tested.outcome(model)
    places = worst_mistakes(outcome.predicted, outcome.confidence, outcome.labels, most)
    if not len(places):
        raise UserError(f"Of the {len(tested)} test images none is wrong: there is nothing to see.")
    with whole_folder(out, "make them again, or give another --out") as aside:
        what = f"Drawing {len(places)} mistakes"
        pictures = track(tested.pixels(places), what, len(places), console=_SCREEN)
        files = tested.file_names(places.tolist())
        for pixels, place, file in zip(pictures, places.tolist(), files, strict=True):
            shown = _mistake(tested, model, outcome, pixels, place, file)
            (aside / shown.file_name).write_bytes(to_png(draw(shown)))
    sys.stdout.write(
        f"{len(places)} of {outcome.wrong:,} mistakes on {len(tested):,} test images, the most "
        f"confident: {out}\n"
    )


def _mistake(
    tested: ImagesOfTest,
    model: LongTailModule,
    outcome: Outcome,
    pixels: Tensor,
    place: int,
    file: str | None,
) -> Mistake:
    names = tested.data.class_names
    predicted, true = int(outcome.predicted[place]), int(outcome.labels[place])
    classes = torch.tensor([predicted, true], device=model.device)
    images = tested.data.normalize(pixels.to(model.device).unsqueeze(0)).expand(2, -1, -1, -1)
    with exact(model.device):
        maps = activation_maps(model, images, classes).cpu()
    confidence = float(outcome.confidence[place])
    return Mistake(pixels, maps, names[true], names[predicted], confidence, place, file)
