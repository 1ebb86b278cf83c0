"""A loss that is NaN on one process stops all of them, each with a sentence."""

import math
import os
import socket

import lightning as L
import pytest
import torch
import torch.multiprocessing as mp

from lt_lightning.callbacks import LastCheckpoint, NonFiniteGuard
from lt_lightning.errors import UserError

WORLD = 2


class Batches(list):
    """One loader; Lightning takes a plain list for a list of loaders."""


class OneBad(L.LightningModule):
    """Its second process has a term that is NaN in step 1 of epoch 1."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(3, 1)

    def training_step(self, batch, batch_idx):
        here = (self.global_rank, self.current_epoch, batch_idx) == (1, 1, 1)
        return {"loss": self.layer(batch).mean(), "term": math.nan if here else 0.0}

    def train_dataloader(self):
        return Batches(torch.ones(2, 3) for _ in range(3))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def work(rank, folder, port):
    os.environ.update(
        MASTER_ADDR="127.0.0.1",
        MASTER_PORT=str(port),
        LOCAL_RANK=str(rank),
        GLOO_SOCKET_IFNAME="lo",
    )
    torch.set_num_threads(1)
    trainer = L.Trainer(
        accelerator="cpu",
        devices=WORLD,
        strategy="ddp",
        max_epochs=3,
        callbacks=[NonFiniteGuard(), LastCheckpoint(folder, 1)],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
    )
    try:
        trainer.fit(OneBad())
    except UserError as error:
        (folder / f"{rank}.txt").write_text(str(error))


@pytest.mark.distributed
def test_all_processes_stop_together(tmp_path):
    """Trap: the process that stops alone leaves the others waiting in their next sum."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    mp.spawn(work, args=(tmp_path, port), nprocs=WORLD)
    first, second = ((tmp_path / f"{rank}.txt").read_text() for rank in range(WORLD))
    assert first.startswith("The loss was NaN or infinite on another process in epoch 1: lower")
    assert second.startswith("term was NaN or infinite in epoch 1, step 1 of it")
    # The last checkpoint is the one before the bad step.
    assert torch.load(tmp_path / "last.ckpt", weights_only=True)["global_step"] == 4
