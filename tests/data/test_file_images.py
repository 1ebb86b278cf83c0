"""Images in files: the pictures do not depend on the workers that decode them."""

import os
from collections import Counter

import numpy as np
import pytest
import torch
from PIL import Image

from lt_lightning.data import AsIs, ImageFolder, LongTailDataModule
from lt_lightning.data import reader as reader_module
from lt_lightning.errors import UserError
from lt_lightning.samplers import Reversed


@pytest.fixture
def root(split_tree):
    return split_tree({"a": 7, "b": 2}, {"a": 3, "b": 2}, size=(24, 20))


def data(root, workers, **kwargs):
    options = {"augment": None, "batch_size": 4, "eval_batch_size": 2, "seed": 3, **kwargs}
    module = LongTailDataModule(
        ImageFolder(image_size=16, in_memory=False),
        root=str(root),
        profile=AsIs(),
        workers=workers,
        **options,
    )
    module.setup("fit")
    return module


def same(first, second):
    pairs = list(zip(first, second, strict=True))
    return all(torch.equal(a, c) and torch.equal(b, d) for (a, b), (c, d) in pairs)


def test_pictures_are_the_same_for_any_number_of_workers(root):
    wanted = [list(data(root, 0).train_dataloader()), list(data(root, 0).test_dataloader())]
    for workers in (1, 2):
        module = data(root, workers)
        assert same(module.train_dataloader(), wanted[0])
        assert same(module.test_dataloader(), wanted[1])


def test_more_workers_than_cores_are_not_started(root, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0}, raising=False)
    asked = []

    def fake(dataset, num_workers, **kwargs):
        asked.append(num_workers)
        return iter(())

    monkeypatch.setattr(reader_module, "DataLoader", fake)
    list(data(root, 16).eval_loader("train"))
    assert asked == [1]


def test_training_crops_differ_between_epochs_and_between_copies(root):
    module = data(root, 0, sampler=Reversed(), batch_size=32, epoch_length=32)
    loader = module.train_dataloader()
    ((first, labels),) = list(loader)
    loader.sampler.set_epoch(1)
    ((second, _),) = list(loader)
    assert not torch.equal(first, second)
    assert max(Counter(labels.tolist()).values()) > 7, "so images of b are there several times"
    assert len(first.unique(dim=0)) == 32, "and none is cropped like another"


def test_resumed_epoch_goes_on_bit_equal(root):
    whole = list(data(root, 0).train_dataloader())
    loader = data(root, 0).train_dataloader()
    loader.load_state_dict({"done": 1})
    assert same(loader, whole[1:])


def test_evaluation_view_has_no_randomness(root):
    loader = data(root, 0).test_dataloader()
    assert same(loader, list(loader))


def test_both_paths_give_the_same_evaluation_images(root):
    options = {"root": str(root), "profile": AsIs(), "eval_batch_size": 3, "workers": 0}
    found = []
    for in_memory in (True, False):
        module = LongTailDataModule(ImageFolder(16, in_memory=in_memory), **options)
        module.setup("test")
        found.append(list(module.test_dataloader()))
    assert same(*found)


@pytest.mark.parametrize("workers", [0, 2])
def test_unreadable_image_is_named_by_the_process_that_trains(root, workers):
    bad = root / "train/a/003.png"
    bad.write_bytes(bad.read_bytes()[:60])
    with pytest.raises(UserError, match=r"train/a/003.png cannot be read .*unreadable skip"):
        list(data(root, workers).train_dataloader())


def test_training_crop_is_a_part_of_the_picture(tmp_path, root):
    # A picture of one colour per column: a crop of it has columns in the same order.
    columns = np.repeat(np.arange(24, dtype=np.uint8)[None] * 10, 20, axis=0)
    for path in root.glob("*/*/*.png"):
        Image.fromarray(np.stack([columns] * 3, axis=2)).save(path)
    module = data(root, 0)
    for images, _ in module.train_dataloader():
        pixels = images[:, 0] * module.normalize.std[0] + module.normalize.mean[0]
        assert bool((pixels.diff(dim=2) > -1e-6).all())
        assert bool((pixels[:, 0] == pixels[:, -1]).all())
