"""Several processes see the pictures that one sees, whatever divides what."""

from pathlib import Path

import pytest
import torch

from lt_lightning.augment import RandomCropFlip
from lt_lightning.data import FileImages, MemoryImages
from lt_lightning.data.loader import Pipeline, TrainLoader
from lt_lightning.samplers import EpochSampler, InstanceBalanced

IMAGES = torch.randint(256, (22, 3, 8, 8), dtype=torch.uint8)
LABELS = torch.arange(22) % 2


def cropped(path, train):
    """Return a picture as a source reads it, here from memory: cropped at random in training."""
    assert train
    top, left = torch.randint(5, (2,)).tolist()
    return IMAGES[int(path.name)][:, top : top + 4, left : left + 4]


KINDS = {
    "memory": MemoryImages(LABELS, IMAGES),
    "files": FileImages(LABELS, tuple(map(Path, map(str, range(22)))), cropped),
}


def batches(rank, world, *, batch_size, drop_last=False, views=1, kind="memory", workers=0):
    sampler = EpochSampler(InstanceBalanced(), LABELS, seed=1, num_replicas=world, rank=rank)
    sampler.set_epoch(2)
    loader = TrainLoader(
        KINDS[kind],
        sampler,
        batch_size=batch_size // world,
        drop_last=drop_last,
        pipeline=Pipeline(RandomCropFlip(2), torch.Tensor.float, torch.device("cpu")),
        seed=5,
        workers=workers,
        views=views,
    )
    return [images for images, _ in loader]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("views", [1, 2])
@pytest.mark.parametrize(("world", "drop_last"), [(2, False), (3, True), (3, False), (6, False)])
@pytest.mark.parametrize("batch_size", [12, 6])
def test_processes_together_see_what_one_sees(batch_size, world, drop_last, views, kind):
    """Trap: what fills up the images made a last batch of them full, which one process drops."""
    given = {"batch_size": batch_size, "drop_last": drop_last, "views": views, "kind": kind}
    one = batches(0, 1, **given)
    several = [batches(rank, world, **given) for rank in range(world)]
    assert {len(own) for own in several} == {len(one)}
    for k, whole in enumerate(one):
        for view, images in enumerate(whole.chunk(views)):
            parts = [batches[k].chunk(views)[view] for batches in several]
            together = torch.stack(parts, dim=1).flatten(0, 1)
            assert torch.equal(together[: len(images)], images)
            again = together[len(images) :]  # where the processes do not divide the images
            assert len(again) < world
            assert not len(again) or not drop_last


def test_a_worker_cuts_as_the_process_that_trains():
    cut, by_worker = (batches(0, 1, batch_size=12, kind="files", workers=n) for n in (0, 1))
    assert all(torch.equal(*pair) for pair in zip(cut, by_worker, strict=True))
