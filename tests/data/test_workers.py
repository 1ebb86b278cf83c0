"""Workers are started once; what they decode does not depend on which epoch started them."""

import gc
import itertools
import multiprocessing
import os

import pytest
import torch

from lt_lightning.data import AsIs, FileImages, ImageFolder, LongTailDataModule
from lt_lightning.data.reader import BatchReader
from lt_lightning.errors import UserError

OTHERS: set[int] = set()


@pytest.fixture
def two_cores(monkeypatch):
    monkeypatch.setattr("lt_lightning.data.reader.cores", lambda: 2)


@pytest.fixture
def data(split_tree, two_cores):
    root = split_tree({"a": 7, "b": 3}, {"a": 3, "b": 2}, size=(24, 20))

    def make(workers):
        module = LongTailDataModule(
            ImageFolder(image_size=16, in_memory=False),
            root=str(root),
            profile=AsIs(),
            augment=None,
            batch_size=2,
            eval_batch_size=2,
            workers=workers,
            seed=3,
        )
        module.setup("fit")
        return module

    yield make
    assert not pids()


@pytest.fixture(autouse=True)
def others():
    """Workers that earlier tests of this process left to the garbage collector."""
    OTHERS.update(child.pid for child in multiprocessing.active_children())


def pids():
    return sorted({child.pid for child in multiprocessing.active_children()} - OTHERS)


def epoch(loader, number):
    loader.sampler.set_epoch(number)
    return [(images, labels.tolist()) for images, labels in loader]


def same(first, second):
    pairs = list(zip(first, second, strict=True))
    return all(torch.equal(a, c) and b == d for (a, b), (c, d) in pairs)


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_stay_and_every_epoch_has_its_own_pictures(data, workers):
    plain, module = data(0).train_dataloader(), data(workers)
    loader, wanted = module.train_dataloader(), [epoch(plain, k) for k in range(3)]
    started = []
    for k in (0, 1, 2, 1):
        assert same(epoch(loader, k), wanted[k])
        started.append(pids())
    assert len(started[0]) == workers
    assert started == [started[0]] * 4
    assert not same(wanted[0], wanted[1])
    module.teardown("fit")
    assert not pids()
    assert same(epoch(loader, 2), wanted[2]), "and others are started"
    module.teardown("fit")


def test_workers_outlive_a_loader_a_pass_that_is_left_and_one_that_goes_on(data):
    wanted, module = epoch(data(0).train_dataloader(), 4), data(1)
    epoch(module.train_dataloader(), 0)
    started = pids()
    left = iter(module.train_dataloader())
    next(left)
    left.close()
    loader = module.train_dataloader()
    loader.load_state_dict({"done": 2})
    assert same(epoch(loader, 4), wanted[2:])
    assert pids() == started
    module.teardown("fit")


def test_two_passes_side_by_side_do_not_mix(data):
    module = data(1)
    loader, other = module.test_dataloader(), module.test_dataloader()
    for (a, labels), (b, again) in itertools.zip_longest(loader, other):
        assert torch.equal(a, b)
        assert torch.equal(labels, again)
    module.teardown("fit")


def test_after_a_pass_that_failed_others_are_started(two_cores):
    def read(path, train):
        if path == "bad":
            raise UserError("bad is bad")
        return torch.full((3, 2, 2), os.getpid())

    reader = BatchReader(FileImages(torch.tensor([0, 1]), ("good", "bad"), read), 1)
    ((first, _),) = reader.read([torch.tensor([0])], [None])
    with pytest.raises(UserError, match="bad is bad"):
        list(reader.read([torch.tensor([1])], [None]))
    ((second, _),) = reader.read([torch.tensor([0])], [None])
    assert len({os.getpid(), int(first.max()), int(second.max())}) == 3, "another worker read it"
    reader.close()
    gc.collect()  # the error holds on to the first


def test_between_batches_the_random_numbers_of_the_process_are_its_own(data):
    loader = data(0).train_dataloader()
    before = torch.get_rng_state()
    next(iter(loader))
    assert torch.equal(torch.get_rng_state(), before)
