"""`lt report RUNS --mistakes`: pictures that a finished run gets wrong, and of rare classes."""

import hashlib
from pathlib import Path

import torch
from torch import Tensor

from lt_lightning.cli.tested import Asked, ImagesOfTest, Outcome
from lt_lightning.cli.words.errors import explain
from lt_lightning.engine.load import load_model
from lt_lightning.errors import UserError
from lt_lightning.methods import LongTailModule
from lt_lightning.metrics.mistakes import of_rarest, worst_mistakes
from lt_lightning.metrics.prediction import NO_CLASS
from lt_lightning.report.mistakes_file import (
    LETTERS,
    Mistakes,
    Seen,
    read_mistakes,
    write_mistakes,
)
from lt_lightning.report.thumbnail import thumbnail
from lt_lightning.runs import checkpoint as checkpoint_file
from lt_lightning.runs import folder as run_folder

_RARE, _EACH = 6, 8  # classes, and images of one


def make(folder: Path, of_data: list[str], device: torch.device, most: int) -> str | None:
    """Write the mistakes of one run, unless they are there for the same weights.

    Args:
        folder: of the run.
        of_data: options of the data, over those of the run.
        device: where it predicts.
        most: how many of the worst are shown.

    Returns:
        Why they cannot be shown, in a sentence, or none: a report is written without them.
    """
    try:
        _, checkpoint = run_folder.of_run(str(folder))
        run_folder.occupy(folder)
        content = checkpoint_file.read(checkpoint)
        model = load_model(content, checkpoint).to(device).eval()
        weights = hashlib.sha256(checkpoint.read_bytes()).hexdigest()[:16]
        known = read_mistakes(folder, model.num_classes)
        if known is not None and (known.weights, known.asked) == (weights, most) and not of_data:
            return None
        asked = Asked(folder, checkpoint, content, of_data, "lt report")
        write_mistakes(folder, _found(asked, model, weights, most))
    except (UserError, OSError) as error:
        return explain(error) or str(error)
    return None


def _found(asked: Asked, model: LongTailModule, weights: str, most: int) -> Mistakes:
    """Return the mistakes of the weights whose digest is `weights`."""
    tested = ImagesOfTest(asked)
    if tested.evaluation is None:
        raise UserError("results.json has no test of these images: test the run by `lt test`.")
    outcome = tested.outcome(model)
    worst = worst_mistakes(outcome.predicted, outcome.confidence, outcome.labels, most)
    rarest = of_rarest(outcome.labels, tested.data.class_counts, _RARE, _EACH)
    shown = _seen(tested, outcome, torch.cat([worst, rarest]))
    return Mistakes(
        weights=weights,
        checkpoint=asked.checkpoint.name,
        evaluation=tested.evaluation,
        asked=most,
        images=len(outcome.labels),
        wrong=outcome.wrong,
        worst=shown[: len(worst)],
        rarest=shown[len(worst) :],
    )


def _seen(tested: ImagesOfTest, outcome: Outcome, places: Tensor) -> list[Seen]:
    files = tested.file_names(places.tolist())
    rows = zip(tested.pixels(places), files, places.tolist(), strict=True)
    return [
        Seen(
            picture=thumbnail(pixels.permute(1, 2, 0).numpy()),
            file=None if file is None else _end(file),
            place=place,
            true=int(outcome.labels[place]),
            predicted=_class(outcome, place),
            confidence=min(float(outcome.confidence[place]), 1.0),
        )
        for pixels, file, place in rows
    ]


def _class(outcome: Outcome, place: int) -> int | None:
    found = int(outcome.predicted[place])
    return None if found == NO_CLASS else found


def _end(file: str) -> str:
    """Return the end of a long path, which tells it from its neighbours."""
    return file if len(file) <= LETTERS else f"…{file[1 - LETTERS :]}"
