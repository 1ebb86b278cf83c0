"""One epoch of one stream: lengths, order, augmentation, and going on in mid-epoch."""

import pytest
import torch
from lightning.pytorch.utilities.combined_loader import CombinedLoader

from lt_lightning.augment import BatchTransform, RandomCropFlip, randint
from lt_lightning.data import MemoryImages
from lt_lightning.data.loader import Pipeline, TrainLoader
from lt_lightning.data.reader import derive_seed
from lt_lightning.samplers import EpochSampler, InstanceBalanced, Reversed

CPU = torch.device("cpu")
N = 22
LABELS = torch.arange(N) % 3
# Image k is filled with 10 k, so that a batch shows which images it holds.
IMAGES = MemoryImages(
    LABELS, (torch.arange(N, dtype=torch.uint8) * 10).view(N, 1, 1, 1).expand(N, 3, 6, 6)
)


class Jitter(BatchTransform):
    """Adds to every image its own random number below 5, which leaves its tens as they are."""

    def __call__(self, images, generator):
        return images + randint(5, len(images), 1, 1, 1, generator=generator).byte()


def plain(images):
    return images.float()


def loader(batch_size=5, *, rule=None, augment=None, seed=0, stream=0, rank=0, world=1, **kwargs):
    sampler = EpochSampler(
        rule or InstanceBalanced(), LABELS, seed=seed, stream=stream, num_replicas=world, rank=rank
    )
    kwargs = {"drop_last": False, **kwargs}
    pipeline = Pipeline(augment, plain, CPU)
    return TrainLoader(
        IMAGES, sampler, batch_size=batch_size, pipeline=pipeline, seed=seed, **kwargs
    )


def epoch(source, number=0):
    source.sampler.set_epoch(number)
    return list(source)


def numbers(batches):
    return [(images[:, 0, 0, 0] // 10).int().tolist() for images, _ in batches]


def flat(batches):
    return [k for batch in numbers(batches) for k in batch]


def equal(first, second):
    return len(first) == len(second) and all(
        torch.equal(a, c) and torch.equal(b, d)
        for (a, b), (c, d) in zip(first, second, strict=True)
    )


def test_an_epoch_has_every_image_once_with_its_label():
    batches = epoch(loader())
    assert [len(labels) for _, labels in batches] == [5, 5, 5, 5, 2]
    assert sorted(flat(batches)) == list(range(N))
    for images, labels in batches:
        assert images.dtype == torch.float32
        assert labels.tolist() == [int(image[0, 0, 0] // 10) % 3 for image in images]


@pytest.mark.parametrize("batch_size", [1, 5, 11, 22, 30])
@pytest.mark.parametrize("drop_last", [False, True])
def test_length_is_the_number_of_batches(batch_size, drop_last):
    source = loader(batch_size, drop_last=drop_last)
    sizes = [len(labels) for _, labels in source]
    assert len(sizes) == len(source)
    assert sum(sizes) == (N // batch_size * batch_size if drop_last else N)


def test_order_depends_on_seed_and_epoch_alone():
    first = numbers(epoch(loader(seed=4), 2))
    torch.rand(3, generator=torch.Generator().manual_seed(8))
    assert numbers(epoch(loader(seed=4, augment=Jitter()), 2)) == first
    assert numbers(epoch(loader(seed=4), 3)) != first
    assert numbers(epoch(loader(seed=5), 2)) != first
    assert numbers(epoch(loader(seed=4, stream=1), 2)) != first
    assert flat(epoch(loader(7, seed=4), 2)) == [k for batch in first for k in batch]


def test_processes_together_draw_what_one_draws():
    whole = flat(epoch(loader(6), 1))
    for world in (2, 3):
        parts = [flat(epoch(loader(6 // world, rank=r, world=world), 1)) for r in range(world)]
        dealt = [k for row in zip(*parts, strict=True) for k in row]
        assert dealt[:N] == whole
        assert dealt[N:] == whole[: len(dealt) - N]


def noise(batches):
    return torch.cat([images[:, 0, 0, 0] % 10 for images, _ in batches])


def test_augmentation_differs_per_image_epoch_stream_rank_and_seed():
    def drawn(number=0, **kwargs):
        return noise(epoch(loader(augment=Jitter(), **kwargs), number)).tolist()

    first = drawn()
    assert len(set(first[:5])) > 1, "images of one batch"
    assert first[:5] != first[5:10], "batches of one epoch"
    assert drawn() == first
    others = [drawn(1), drawn(stream=1), drawn(seed=1), drawn(rank=1, world=2)]
    for other in others:
        assert other != first[: len(other)]
    ranks = [noise(epoch(loader(augment=Jitter(), rank=r, world=2))) for r in (0, 1)]
    assert ranks[0].tolist() != ranks[1].tolist()


def test_crop_and_flip_give_every_copy_of_an_image_its_own_view():
    gradient = torch.arange(36, dtype=torch.uint8).view(1, 1, 6, 6).expand(N, 3, 6, 6)
    source = loader(N, augment=RandomCropFlip(padding=2))
    source.images = MemoryImages(LABELS, gradient)
    ((images, _),) = list(source)
    assert len(images.unique(dim=0)) > N // 2


@pytest.mark.parametrize("rule", [InstanceBalanced(), Reversed()], ids=lambda rule: type(rule))
@pytest.mark.parametrize("done", [0, 1, 3, 4])
def test_resumed_epoch_goes_on_bit_equal(rule, done):
    whole = epoch(loader(rule=rule, augment=Jitter()), 3)
    first = loader(rule=rule, augment=Jitter())
    first.sampler.set_epoch(3)
    batches = iter(first)
    for _ in range(done):
        next(batches)
    state = first.state_dict()
    second = loader(rule=rule, augment=Jitter())
    second.load_state_dict(state)
    assert equal(epoch(second, 3), whole[done:])
    assert equal(epoch(second, 4), epoch(loader(rule=rule, augment=Jitter()), 4)), "a whole epoch"


def test_state_after_a_whole_epoch_starts_the_next_one():
    source = loader(augment=Jitter())
    epoch(source, 0)
    other = loader(augment=Jitter())
    other.load_state_dict(source.state_dict())
    assert equal(epoch(other, 1), epoch(loader(augment=Jitter()), 1))


def test_state_that_was_loaded_is_given_again():
    source = loader()
    source.load_state_dict({"done": 2})
    assert source.state_dict() == {"done": 2}


def test_state_before_the_first_batch_is_the_beginning():
    source = loader()
    iter(source)
    assert source.state_dict() == {"done": 0}


def test_epoch_that_is_set_after_iter_counts():
    """Lightning makes the iterator first and sets the epoch then."""
    source = loader()
    batches = iter(source)
    source.sampler.set_epoch(6)
    assert numbers(batches) == numbers(epoch(loader(), 6))


def test_two_streams_draw_and_augment_differently_and_resume_together():
    def pair():
        rules = {"reversed": Reversed(), "uniform": InstanceBalanced()}
        streams = {
            name: loader(rule=rule, augment=Jitter(), stream=k)
            for k, (name, rule) in enumerate(rules.items())
        }
        return CombinedLoader(streams, "min_size")

    def steps(combined):
        return [batch for batch, _, _ in combined]

    whole = steps(pair())
    assert len(whole) == 5
    together = {name: [step[name] for step in whole] for name in ("reversed", "uniform")}
    assert numbers(together["reversed"]) != numbers(together["uniform"])
    assert noise(together["reversed"]).tolist() != noise(together["uniform"]).tolist()
    first = pair()
    batches = iter(first)
    next(batches), next(batches)
    second = pair()
    second._load_state_dicts(first._state_dicts())
    for step, want in zip(steps(second), whole[2:], strict=True):
        assert all(equal([step[name]], [want[name]]) for name in want)


def test_derived_seeds_depend_on_all_keys_and_their_order():
    keys = [(0,), (1,), (0, 0), (0, 1), (1, 0), (1, 11), (11, 1), (0, 0, 0)]
    seeds = [derive_seed(*key) for key in keys]
    assert len(set(seeds)) == len(keys)
    assert all(0 <= seed < 2**62 for seed in seeds)
    assert derive_seed(1, 2, 3) == 1452325159219566277
