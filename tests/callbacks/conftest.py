"""A tiny data module and module with the attributes that the callbacks read."""

import io

import lightning as L
import pytest
import torch
from lightning.pytorch.callbacks import Checkpoint
from PIL import Image
from torch import nn

from lt_lightning.engine.evaluated import EvaluatedModule
from lt_lightning.runs.reported import ReportedData

NAMES = ["cat", "dog", "eel"]
GROUPS = {"many": [0, 1], "few": [2]}
TEST_LABELS = [0, 0, 0, 1, 1, 2]
TEST_PREDICTIONS = [0, 0, 1, 1, 1, 0]


class Batches(list):
    """One loader; Lightning takes a plain list for a list of loaders."""


class ToyData(L.LightningDataModule, ReportedData):
    class_counts = torch.tensor([300, 120, 6])
    class_names = NAMES
    groups = GROUPS

    def __init__(self, validate=False):
        super().__init__()
        self.group_rule = "a rule"
        self.fingerprint = "f00d"
        self.subset_seed = 7
        self.monitor_test = False
        self.validate = validate

    def train_dataloader(self):
        return Batches(torch.ones(2, 3) * k for k in range(3))

    def val_dataloader(self):
        return Batches([torch.ones(2, 3)]) if self.validate else []

    def test_dataloader(self):
        rows = zip(TEST_PREDICTIONS, TEST_LABELS, strict=True)
        return Batches((torch.eye(3)[[p]] * 50, torch.tensor([y])) for p, y in rows)


class ToyModule(EvaluatedModule):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 1)
        self.count_by(3, GROUPS)
        self.outputs = {}  # step -> what training_step returns besides the loss
        self.rate = 0.1
        self.validation_values = [0.25, 0.5, 0.75, 1.0]  # of the epochs

    def training_step(self, batch, batch_idx):
        loss = self.layer(batch).mean()
        self.log("train/loss", 1.0 + batch_idx, on_step=False, on_epoch=True, batch_size=2)
        return {"loss": loss, **self.outputs.get((self.current_epoch, batch_idx), {})}

    def validation_step(self, batch, batch_idx):
        self.log("val/acc", self.validation_values[self.current_epoch], batch_size=2)

    def configure_callbacks(self):
        return []

    def predict_logits(self, images):
        return images

    def on_validation_epoch_end(self):
        pass

    def on_test_epoch_end(self):
        pass

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=self.rate)
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.1)
        return [optimizer], [scheduler]


@pytest.fixture
def batches():
    return Batches


@pytest.fixture
def data():
    return ToyData()


@pytest.fixture
def module():
    return ToyModule()


@pytest.fixture
def make_trainer(tmp_path):
    def make(*callbacks, **options):
        settings = {
            "accelerator": "cpu",
            "devices": 1,
            "max_epochs": 2,
            "logger": False,
            "enable_checkpointing": any(isinstance(c, Checkpoint) for c in callbacks),
            "enable_progress_bar": False,
            "enable_model_summary": False,
            "log_every_n_steps": 1,
            "num_sanity_val_steps": 0,
            "limit_val_batches": 0,
            "default_root_dir": tmp_path,
        }
        return L.Trainer(callbacks=list(callbacks), **{**settings, **options})

    return make


@pytest.fixture
def toy_data():
    return ToyData


@pytest.fixture
def toy_module():
    return ToyModule


def _small_png():
    stream = io.BytesIO()
    Image.new("L", (2, 2)).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def no_wandb_account(monkeypatch, tmp_path):
    """Be a user without account and settings."""
    import wandb

    from lt_lightning.callbacks import RunRecord

    # A command that ran in this process leaves its run, and its service, to the end of it.
    wandb.finish()
    wandb.teardown()

    for name in ("API_KEY", "MODE", "BASE_URL", "PROJECT", "DISABLED", "IDENTITY_TOKEN_FILE"):
        monkeypatch.setenv(f"WANDB_{name}", "taken back at the end")
        monkeypatch.delenv(f"WANDB_{name}")
    for name in ("CACHE_DIR", "CONFIG_DIR", "DATA_DIR"):
        monkeypatch.setenv(f"WANDB_{name}", str(tmp_path / name))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.setattr(RunRecord, "_draw", lambda *_: None)  # WandbMedia draws the same ones
    # Figures are made, but drawing them takes seconds and is tested elsewhere.
    monkeypatch.setattr("lt_lightning.figures.png.to_png", lambda _: _small_png())
    yield
    wandb.teardown()


@pytest.fixture
def wandb_server(no_wandb_account, monkeypatch):
    """A W&B server on the loopback with an account on it."""
    from wandb_server import KEY, WandbServer

    server = WandbServer()
    monkeypatch.setenv("WANDB_BASE_URL", server.url)
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    yield server
    server.close()


@pytest.fixture
def pictures():
    """A module with class weights, and data whose test images are pictures; they go together."""
    from lt_lightning.augment import Normalize

    class ToyPictures(ToyData):
        normalize = Normalize([0.5], [0.25])

        def test_dataloader(self):
            rows = zip(TEST_PREDICTIONS, TEST_LABELS, strict=True)
            return Batches((torch.full((1, 1, 2, 2), p / 2), torch.tensor([y])) for p, y in rows)

    class ToyWeighted(ToyModule):
        def __init__(self):
            super().__init__()
            self.weights = torch.tensor([0.5, 1.0, 3.0])

        def class_weights(self):
            return self.weights

        def test_step(self, batch, batch_idx):
            images, targets = batch
            logits = torch.eye(3)[(2 * images[:, 0, 0, 0]).long()] * 50
            super().test_step((logits, targets), batch_idx)
            return logits

    module = ToyWeighted()
    module.__class__.__name__ = "ToyModule"
    return module, ToyPictures()
