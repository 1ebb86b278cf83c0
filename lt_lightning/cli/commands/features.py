"""`lt report RUNS --features`: t-SNE of the test features of a finished run."""

import hashlib
from pathlib import Path

import torch
from torch import Tensor

from lt_lightning.cli.run_data import data_of_checkpoint
from lt_lightning.data import LongTailDataModule
from lt_lightning.data.loader import EvalLoader, Pipeline
from lt_lightning.engine.float32 import exact
from lt_lightning.engine.load import load_model
from lt_lightning.figures.clouds import clouds
from lt_lightning.figures.png import draw_clouds, to_png
from lt_lightning.methods import LongTailModule
from lt_lightning.metrics.embedding import choose_shown, tsne
from lt_lightning.report.features_file import Features, read_features, write_features
from lt_lightning.runs import checkpoint as checkpoint_file
from lt_lightning.runs import folder as run_folder
from lt_lightning.runs.files import write_whole

FIGURE = "features_last.png"
_BATCH = 128


def make(folder: Path, of_data: list[str], device: torch.device) -> None:
    """Write features and figure of one run, unless they are there for the same weights.

    Raises:
        UserError: if it has no checkpoint, or its images are not there.
    """
    _, checkpoint = run_folder.of_run(str(folder))
    run_folder.occupy(folder)
    digest = hashlib.sha256(checkpoint.read_bytes()).hexdigest()[:16]
    content = checkpoint_file.read(checkpoint)
    model = load_model(content, checkpoint).to(device).eval()
    known = read_features(folder, model.num_classes)
    if known is not None and known.weights == digest and (folder / FIGURE).is_file():
        return
    data = data_of_checkpoint(folder, checkpoint, content, of_data, "lt report")
    found, labels = _features(model, data, device)
    points = tsne(found)
    columns = [[round(value, 2) for value in column.tolist()] for column in points.T]
    features = Features(digest, checkpoint.name, labels.tolist(), *columns)
    write_features(folder, features)
    title = f"{'/'.join(folder.resolve().parts[-2:])}: test features"
    places = [(label, x, y) for label, (x, y) in zip(labels.tolist(), points.tolist(), strict=True)]
    drawn = clouds(title, places, data.class_names, data.groups, list(data.groups))
    write_whole(folder / FIGURE, to_png(draw_clouds(drawn)), "report again")


def _features(
    model: LongTailModule, data: LongTailDataModule, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Return features (N, D) and labels (N,) of the test images that are shown."""
    images = data.whole("test").images
    loader = EvalLoader(
        images.select(choose_shown(images.labels)),
        batch_size=_BATCH,
        pipeline=Pipeline(None, data.normalize, device),
        rank=0,
        world_size=1,
        workers=data.workers,
    )
    with torch.inference_mode(), exact(device):
        pairs = [(model.features(batch).float().cpu(), labels.cpu()) for batch, labels in loader]
    return torch.cat([f.flatten(1) for f, _ in pairs]), torch.cat([y for _, y in pairs])
