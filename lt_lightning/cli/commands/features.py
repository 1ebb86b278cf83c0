"""`lt report RUNS --features`: t-SNE of the test features of a finished run."""

from pathlib import Path

import torch
from torch import Tensor

from lt_lightning.cli.tested import Opened, open_tested
from lt_lightning.engine.float32 import exact
from lt_lightning.figures.clouds import clouds
from lt_lightning.figures.png import draw_clouds, to_png
from lt_lightning.metrics.embedding import choose_shown, tsne
from lt_lightning.report.features_file import Features, read_features, write_features
from lt_lightning.runs.files import write_whole

FIGURE = "features_last.png"


def make(folder: Path, of_data: list[str], device: torch.device) -> None:
    """Write features and figure of one run, unless they are there for the same weights and images.

    Raises:
        UserError: if it has no checkpoint, its images are not there, or it was not tested on them.
    """
    run = open_tested(folder, of_data, device)
    known = read_features(folder, run.model.num_classes)
    if known is not None and _of(known) == _of(run) and (folder / FIGURE).is_file():
        return
    data = run.tested.data
    found, labels = _features(run)
    points = tsne(found)
    x, y = ([round(value, 2) for value in column.tolist()] for column in points.T)
    checkpoint, tested = run.checkpoint.name, (run.evaluation, run.fingerprint)
    features = Features(run.weights, checkpoint, labels.tolist(), x, y, *tested)
    write_features(folder, features)
    title = f"{'/'.join(folder.resolve().parts[-2:])}: test features"
    places = [(label, x, y) for label, (x, y) in zip(labels.tolist(), points.tolist(), strict=True)]
    drawn = clouds(title, places, data.class_names, data.groups, list(data.groups))
    write_whole(folder / FIGURE, to_png(draw_clouds(drawn)), "report again")


def _of(one: Features | Opened) -> tuple[str, str, str | None]:
    return one.weights, one.evaluation, one.fingerprint


def _features(run: Opened) -> tuple[Tensor, Tensor]:
    """Return features (N, D) and labels (N,) of the test images that are shown."""
    model, images = run.model, run.tested.images
    loader = run.tested.batches(images.select(choose_shown(images.labels)), model.device)
    with torch.inference_mode(), exact(model.device):
        pairs = [(model.features(batch).float().cpu(), labels.cpu()) for batch, labels in loader]
    return torch.cat([f.flatten(1) for f, _ in pairs]), torch.cat([y for _, y in pairs])
