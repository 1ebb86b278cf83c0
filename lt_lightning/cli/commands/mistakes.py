"""`lt report RUNS --mistakes`: pictures that a finished run gets wrong, and of rare classes."""

from pathlib import Path

import torch
from torch import Tensor

from lt_lightning.cli.tested import ImagesOfTest, Opened, Outcome, open_tested
from lt_lightning.cli.words.errors import explain
from lt_lightning.errors import UserError
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

_RARE, _EACH = 6, 8  # classes, and images of one


def make(folder: Path, of_data: list[str], device: torch.device, most: int) -> str | None:
    """Write the mistakes of one run, unless they are there for the same weights and images.

    Args:
        folder: of the run.
        of_data: options of the data, over those of the run.
        device: where it predicts.
        most: how many of the worst are shown.

    Returns:
        Why they cannot be shown, in a sentence, or none: a report is written without them.
    """
    try:
        run = open_tested(folder, of_data, device)
        known = read_mistakes(folder, run.model.num_classes)
        if known is None or _of(known) != (run.weights, run.evaluation, run.fingerprint, most):
            write_mistakes(folder, _found(run, most))
    except (UserError, OSError) as error:
        return explain(error) or str(error)
    return None


def _of(known: Mistakes) -> tuple[str, str, str | None, int]:
    return known.weights, known.evaluation, known.fingerprint, known.asked


def _found(run: Opened, most: int) -> Mistakes:
    tested = run.tested
    outcome = tested.outcome(run.model)
    worst = worst_mistakes(outcome.predicted, outcome.confidence, outcome.labels, most)
    rarest = of_rarest(outcome.labels, tested.data.class_counts, _RARE, _EACH)
    shown = _seen(tested, outcome, torch.cat([worst, rarest]))
    return Mistakes(
        weights=run.weights,
        checkpoint=run.checkpoint.name,
        evaluation=run.evaluation,
        fingerprint=run.fingerprint,
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
