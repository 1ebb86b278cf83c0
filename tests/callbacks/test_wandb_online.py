"""W&B with an account: the client talks to a server on the loopback."""

import json

import pytest
import wandb

from lt_lightning.callbacks import RunRecord, WandbMedia
from lt_lightning.wandb_.run import WandbRun

FOLDER = ("ce", "0")


def fit(make_trainer, module, data, folder, epochs, checkpoint=None, last=True):
    """Train to the epoch, in the W&B run of the folder."""
    logger = WandbRun()
    assert not logger._offline
    logger.use_folder(folder, "Toy, ratio 50")
    trainer = make_trainer(RunRecord(str(folder)), WandbMedia(), logger=logger, max_epochs=epochs)
    trainer.fit(module, datamodule=data, ckpt_path=checkpoint, weights_only=False)
    trainer.save_checkpoint(folder / "kept.ckpt")
    if last:
        trainer.test(module, datamodule=data, verbose=False)
    wandb.finish()


@pytest.mark.slow
def test_a_resumed_run_goes_on_in_the_same_run_of_the_server(
    make_trainer, pictures, tmp_path, wandb_server
):
    folder = tmp_path.joinpath(*FOLDER)
    fit(make_trainer, *pictures, folder, 1, last=False)
    fit(make_trainer, *pictures, folder, 3, folder / "kept.ckpt")
    (name,) = wandb_server.runs
    assert name == (folder / "wandb_id").read_text()
    begun = wandb_server.runs[name]
    assert begun["project"] == "lt_lightning"
    assert begun["groupName"] == "ce, Toy, ratio 50"
    assert begun["displayName"] == "ce/0"
    assert {"ToyModule", "many 2"} <= set(begun["tags"])
    config = json.loads(begun["config"])
    assert config["fingerprint"]["value"] == "f00d"
    rows = wandb_server.history[name]
    steps = [row["_step"] for row in rows]
    assert steps == sorted(set(steps))  # none is written over
    assert [row["epoch"] for row in rows if "train/loss" in row] == [0, 1, 2]
    assert wandb_server.summary[name]["last/acc"] == pytest.approx(4 / 6)
    sent = list(wandb_server.files)
    assert [f for f in sent if f.startswith("media/table/last/per_class")]
    assert (
        len([f for f in sent if f.startswith("media/images/last/tail_images")]) == 2
    )  # equal ones share a file
    assert wandb_server.done == {name}
