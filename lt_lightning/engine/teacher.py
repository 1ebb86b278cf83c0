"""Labels that a finished run gives to images."""

import logging
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from lt_lightning.augment import Normalize
from lt_lightning.data.datamodule import LongTailDataModule
from lt_lightning.engine.float32 import exact
from lt_lightning.engine.load import load_model
from lt_lightning.engine.seen_data import warn_of_other_view
from lt_lightning.errors import UserError
from lt_lightning.metrics.prediction import NO_CLASS, predicted_class
from lt_lightning.processes import processes
from lt_lightning.runs.checkpoint import DATA_STATE

log = logging.getLogger(__name__)


@torch.no_grad()
def hard_labels(
    content: dict[str, Any], path: str, data: LongTailDataModule, device: torch.device
) -> Tensor:
    """Return the class that the teacher predicts for each unlabelled image, int64 (M,).

    Test transform, the teacher's own normalisation, evaluation mode, float32, in order. Each
    process looks at whole batches of its own, so the labels are the same on any number of them.

    Args:
        content: a checkpoint of the teacher.
        path: its path.
        data: has the unlabelled images.
        device: where the teacher runs.

    Raises:
        UserError: if the teacher has other classes or another image size than the data.
    """
    _check_fits(content, path, data)
    with torch.random.fork_rng(devices=[]):  # its random start must not change ours
        teacher = load_model(content, Path(path)).to(device).eval()
    state = content[DATA_STATE]
    loader = data.unlabelled_loader(Normalize(mean=state["mean"], std=state["std"]))
    labels = torch.zeros(len(loader.images), dtype=torch.int64, device=device)
    with exact(device):
        for where, (images, _) in zip(loader.places(), loader, strict=True):
            labels[where.to(device)] = predicted_class(teacher.predict_logits(images))
    if bool((labels == NO_CLASS).any()):
        raise UserError(
            f"The teacher {path} gives numbers that are not finite: give a run that predicts."
        )
    if processes() > 1:
        dist.all_reduce(labels)  # the others' places are 0
    log.info("%s labelled %d images", path, len(labels))
    return labels


def _check_fits(content: dict[str, Any], path: str, data: LongTailDataModule) -> None:
    names = [str(name) for name in content.get("hyper_parameters", {}).get("class_names") or []]
    if names and names != data.class_names:
        pairs = zip(names, data.class_names, strict=False)
        other = next((f"{a!r} where they have {b!r}" for a, b in pairs if a != b), None)
        raise UserError(
            f"The teacher {path} has {len(names)} classes"
            + (f", {other}, " if other else " ")
            + f"but the data have {len(data.class_names)}: give a run on the same classes."
        )
    have, want = content.get(DATA_STATE, {}).get("image_size"), data.facts()["image_size"]
    if have is not None and have != want:
        raise UserError(
            f"The teacher {path} was trained on images of {have} pixels a side but the data have "
            f"{want}: give a run on images of this size."
        )
    warn_of_other_view(content, path, data, free=("mean", "std"))  # it has its own
