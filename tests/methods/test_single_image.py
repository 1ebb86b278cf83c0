"""A last batch of one image, and the networks that cannot take it."""

from dataclasses import replace

import lightning as L
import pytest
import torch
from torch import nn

from lt_lightning.backbones import ResNetCIFAR
from lt_lightning.backbones.torchvision_resnet import TorchvisionResNet
from lt_lightning.data import AsIs, Digits, LongTailDataModule
from lt_lightning.engine.single_image import check_single_images
from lt_lightning.errors import UserError
from lt_lightning.methods import ERM
from lt_lightning.stages import Stage

STAGE = Stage(1, 0, 1)


@pytest.fixture(scope="module")
def images():
    """Return a function that makes the data of so many images an epoch."""
    data = LongTailDataModule(Digits(size=32), profile=AsIs(), epoch_length=41, batch_size=8)
    data.setup("fit")

    def make(**options):
        for name, value in {"drop_last": False, "batch_size": 8, **options}.items():
            setattr(data, name, value)
        return data

    return make


def check(backbone, data, stage=STAGE, limit=None, head=None):
    module = nn.ModuleDict({"backbone": backbone, "head": head or nn.Identity()})
    check_single_images(module, data, stage, limit)


@pytest.fixture(scope="module")
def small():
    return TorchvisionResNet("resnet18")


def test_one_image_at_1x1_is_refused_and_changes_nothing(images, small):
    """Trap: 41 images in batches of 8 end, after five steps, in a ValueError of torch."""
    before = {name: value.clone() for name, value in small.state_dict().items()}
    with pytest.raises(UserError, match=r"data.batch_size 8.*--data.drop_last true") as refused:
        check(small, images())
    assert len(str(refused.value).splitlines()) == 1
    for name, value in small.state_dict().items():
        assert torch.equal(value, before[name]), name
    with pytest.raises(UserError):
        check(small, images(batch_size=1))


def test_what_never_sees_one_number_per_channel_is_taken(images, small):
    check(small, images(drop_last=True))
    check(small, images(batch_size=7))
    check(small, images(), limit=5)
    check(small, images(), limit=0.9)
    check(small, images(), stage=replace(STAGE, features=True))
    check(ResNetCIFAR(depth=8, width=4), images())
    small.eval()
    check(small, images())
    small.train()


def test_batch_norm_of_a_head_sees_one_row(images):
    head = nn.BatchNorm1d(4).train()
    with pytest.raises(UserError, match="one image"):
        check(ResNetCIFAR(depth=8, width=4), images(), head=head)


def test_images_of_other_processes_count_for_synchronised_batch_norm(images, small):
    synchronised = nn.SyncBatchNorm.convert_sync_batchnorm(TorchvisionResNet("resnet18"))
    check(synchronised, images())


def test_each_process_has_its_own_last_batch(images, small, monkeypatch):
    data = images()
    monkeypatch.setattr(data._streams, "processes", lambda: (0, 2))
    with pytest.raises(UserError):  # 21 images each, in batches of 4
        check(small, data)


def test_a_fit_is_refused_before_its_first_step(images, small, monkeypatch):
    steps = []
    monkeypatch.setattr(ERM, "training_step", lambda *_: steps.append(None))
    module = ERM(class_counts=images().class_counts.tolist(), backbone=lambda: small)
    trainer = L.Trainer(
        accelerator="cpu",
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    with pytest.raises(UserError, match="one image"):
        trainer.fit(module, datamodule=images())
    assert steps == []


def test_a_network_in_double_precision_is_asked_in_it(images):
    check(ResNetCIFAR(depth=8, width=4).double(), images())
