"""Checkpoints and trainers that no stage 2 can begin with."""

import logging

import pytest
import torch
from lightning.pytorch.strategies import FSDPStrategy, SingleDeviceStrategy
from two_stage_kit import Saves, build_data, fit, tiny, two_stage

from lt_lightning.augment import Normalize
from lt_lightning.data import Digits, Exponential, LongTailDataModule
from lt_lightning.errors import UserError
from lt_lightning.heads import CRT, LWS, CosineHead
from lt_lightning.methods import ERM, Decoupled
from lt_lightning.runs.checkpoint import DATA_STATE

CLASSES = 10


def first_run(folder, **options):
    def make(data):
        return ERM(class_counts=data.class_counts.tolist(), backbone=tiny, **options)

    fit(make, 1, folder, data=build_data(staged=False), callbacks=[Saves(folder)])
    return folder / "end-0.ckpt"


def rewritten(path, **known):
    """Change what a checkpoint says of its classes."""
    content = torch.load(path, weights_only=True)
    content["hyper_parameters"].update(known)
    torch.save(content, path)
    return str(path)


@pytest.mark.parametrize("classes", [CLASSES - 1, CLASSES + 1])
def test_fewer_or_more_classes_are_refused(classes, tmp_path):
    path = rewritten(first_run(tmp_path), class_counts=[5] * classes)
    with pytest.raises(UserError, match=rf"has {classes} classes but the data have 10"):
        fit(two_stage(Decoupled, stage1_ckpt=path), 2, tmp_path)


def test_classes_of_other_names_are_refused(tmp_path):
    path = rewritten(first_run(tmp_path), class_names=[str(c) for c in (0, 1, 3, 2, *range(4, 10))])
    with pytest.raises(UserError, match="has a class 3 where the data have 2"):
        fit(two_stage(Decoupled, stage1_ckpt=path), 2, tmp_path)


def test_another_head_is_refused_where_it_is_needed_and_left_where_not(tmp_path):
    path = str(first_run(tmp_path, head=CosineHead))
    with pytest.raises(UserError, match=r"classifier .* does not fit \(1 of 2 tensors\)"):
        fit(two_stage(Decoupled, stage1_ckpt=path, classifier=LWS()), 2, tmp_path)
    fit(two_stage(Decoupled, stage1_ckpt=path, classifier=CRT()), 2, tmp_path)
    cosine = two_stage(Decoupled, stage1_ckpt=path, classifier=LWS(), head=CosineHead)
    assert isinstance(fit(cosine, 2, tmp_path).head.inner, CosineHead)


def test_other_images_are_warned_of(tmp_path, caplog):
    path = str(first_run(tmp_path))
    other = LongTailDataModule(
        source=Digits(size=8),
        profile=Exponential(imbalance_ratio=5),
        batch_size=64,
        samplers=build_data().samplers,
        normalize=Normalize((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    )
    with caplog.at_level(logging.WARNING, logger="lt_lightning"):
        fit(two_stage(Decoupled, stage1_ckpt=path), 2, tmp_path, data=other)
    assert "was trained on other images" in caplog.text
    assert "was trained on images of mean" in caplog.text
    caplog.clear()
    content = torch.load(path, weights_only=True)
    content[DATA_STATE]["content"] = "0" * 16  # other pixels under the same names
    torch.save(content, tmp_path / "other.ckpt")
    with caplog.at_level(logging.WARNING, logger="lt_lightning"):
        fit(two_stage(Decoupled, stage1_ckpt=str(tmp_path / "other.ckpt")), 2, tmp_path)
    assert f"was trained on other images ({'0' * 16}) than stage 2" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.WARNING, logger="lt_lightning"):
        fit(two_stage(Decoupled, stage1_ckpt=path), 2, tmp_path)
    assert caplog.text == ""


def test_a_strategy_that_loads_late_is_refused_with_the_two_commands(tmp_path, monkeypatch):
    late = property(lambda self: True)
    assert FSDPStrategy().restore_checkpoint_after_setup
    monkeypatch.setattr(SingleDeviceStrategy, "restore_checkpoint_after_setup", late)
    with pytest.raises(UserError, match=r"two commands, .*ERM .*stage1_ckpt RUN"):
        fit(two_stage(Decoupled), 4, tmp_path)
    path = str(first_run(tmp_path))
    assert fit(two_stage(Decoupled, stage1_ckpt=path), 2, tmp_path).stage == 2
