"""Evaluation sees every image once, in order, on any number of processes."""

import pytest
import torch

from lt_lightning.augment import Normalize
from lt_lightning.data import FileImages, MemoryImages
from lt_lightning.data.loader import EvalLoader, Pipeline
from lt_lightning.metrics import ClassStats, ConfusionCounts

N = 23
LABELS = torch.arange(N) % 4
PIXELS = torch.arange(N, dtype=torch.uint8).view(N, 1, 1, 1).expand(N, 3, 4, 4).contiguous()
IMAGES = MemoryImages(LABELS, PIXELS)
PIPELINE = Pipeline(None, Normalize([0.0] * 3, [1 / 255] * 3), torch.device("cpu"))


def read(path, train):
    assert not train, "evaluation asks for the evaluation view"
    return PIXELS[int(path)]


IN_FILES = FileImages(LABELS, tuple(str(k) for k in range(N)), read)


def loader(images, rank=0, world=1, batch_size=5):
    return EvalLoader(images, batch_size=batch_size, pipeline=PIPELINE, rank=rank, world_size=world)


def seen(batches):
    pairs = [pair for x, t in batches for pair in zip(x, t, strict=True)]
    return [(int(image[0, 0, 0].round()), int(label)) for image, label in pairs]


@pytest.mark.parametrize("images", [IMAGES, IN_FILES], ids=["memory", "files"])
@pytest.mark.parametrize("batch_size", [1, 5, 12, 23, 100])
@pytest.mark.parametrize("world", [1, 2, 3, 8])
def test_every_image_is_seen_once_with_its_label(images, batch_size, world):
    loaders = [loader(images, rank, world, batch_size) for rank in range(world)]
    for source in loaders:
        assert len(source) == len(list(source)) >= 1
    found = [pair for source in loaders for pair in seen(source)]
    assert sorted(found) == [(k, k % 4) for k in range(N)]
    if world == 1:
        assert found == sorted(found)


@pytest.mark.parametrize("world", [2, 3])
def test_batches_are_the_same_on_many_processes(world):
    def content(source):
        return [tuple(seen([batch])) for batch in source]

    whole = content(loader(IMAGES))
    dealt = [content(loader(IMAGES, rank, world)) for rank in range(world)]
    assert sorted(batch for part in dealt for batch in part) == whole


@pytest.mark.parametrize("images", [IMAGES, IN_FILES], ids=["memory", "files"])
def test_process_without_images_gets_an_empty_batch_that_changes_no_metric(images):
    ((pictures, labels),) = list(loader(images, rank=2, world=3, batch_size=12))
    assert pictures.shape == (0, 3, 4, 4)
    assert pictures.dtype == torch.float32
    assert labels.shape == (0,)
    stats, table = ClassStats(4, groups={}), ConfusionCounts(4)
    logits = pictures.mean(dim=(2, 3)) @ torch.ones(3, 4)
    stats.update(logits, labels)
    table.update(logits, labels)
    assert int(stats.total.sum()) == int(table.compute().sum()) == 0


def test_loader_can_be_read_again():
    source = loader(IMAGES)
    assert seen(source) == seen(source)
