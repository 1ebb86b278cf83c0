"""Applying a post-hoc change to the weights of a checkpoint, ready to be tested."""

from pathlib import Path

import torch

from lt_lightning.callbacks import RunRecord
from lt_lightning.data import LongTailDataModule
from lt_lightning.methods import LongTailModule
from lt_lightning.post_hoc import PostHoc
from lt_lightning.runs import checkpoint as checkpoint_file
from lt_lightning.runs.checkpoint import DATA_STATE


def change_model(
    change: PostHoc,
    model: LongTailModule,
    data: LongTailDataModule,
    checkpoint: Path,
    device: torch.device,
    record: RunRecord,
) -> None:
    """Put the weights of `checkpoint` into `model`, change it, and tell `record` so."""
    content = checkpoint_file.read(checkpoint)
    model.take(content)
    model.to(device, torch.float32)  # from a training in half precision
    data.prepare_data()
    data.setup("test")
    record.change = change.options()  # before what is fitted takes the place of none
    change.apply(model, data)
    record.evaluation = f"{checkpoint.stem}+{change.describe()}"
    record.tested = (checkpoint, int(content["epoch"]))
    record.own_test = content.get(DATA_STATE, {}).get("test_fingerprint")
    record.tau_curve = dict(change.curve)
    record.fitted_on = change.fitted_on
