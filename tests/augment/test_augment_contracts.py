"""What every transform and every mixing of the folder promises; new classes are found here."""

import importlib
import inspect
import pickle
import pkgutil
from abc import ABCMeta

import pytest
import torch
from torch import nn

from lt_lightning import augment
from lt_lightning.augment import (
    AutoAugment,
    BatchTransform,
    ColorJitter,
    Compose,
    CutMix,
    Cutout,
    ManifoldMixup,
    Mixing,
    Mixup,
    RandAugment,
    RandomCropFlip,
    RandomGrayscale,
    RandomResizedCrop,
    Remix,
)
from lt_lightning.errors import UserError

# One instance per class, and how many of 128 equal images must come out distinct.
TRANSFORMS = {
    AutoAugment: (AutoAugment(), 40),
    ColorJitter: (ColorJitter(hue=0.1), 120),
    Compose: (Compose([RandomCropFlip(), Cutout()]), 120),
    Cutout: (Cutout(), 100),
    RandAugment: (RandAugment(), 40),
    RandomCropFlip: (RandomCropFlip(), 80),
    RandomGrayscale: (RandomGrayscale(), 2),
    RandomResizedCrop: (RandomResizedCrop(), 100),
}
MIXINGS = {
    CutMix: CutMix(),
    ManifoldMixup: ManifoldMixup(layers=["input", "output"]),
    Mixup: Mixup(),
    Remix: Remix(),
}


def concrete(base):
    modules = [
        importlib.import_module(f"{augment.__name__}.{info.name}")
        for info in pkgutil.iter_modules(augment.__path__)
    ]
    found = {c for m in modules for _, c in inspect.getmembers(m) if type(c) in (type, ABCMeta)}
    return {c for c in found if issubclass(c, base) and not inspect.isabstract(c)}


def test_no_class_is_forgotten():
    assert concrete(BatchTransform) == TRANSFORMS.keys()
    assert concrete(Mixing) == MIXINGS.keys()
    for public in (*TRANSFORMS, *MIXINGS):
        assert public.__name__ in augment.__all__
        first, *rest = inspect.getdoc(public).splitlines()
        assert len(first) <= 90
        assert first.endswith(".")
        assert public is Compose or any(line.startswith("Paper: ") for line in rest)
        required = [
            p.name
            for p in inspect.signature(public).parameters.values()
            if p.default is inspect.Parameter.empty
        ]
        assert required == (["transforms"] if public is Compose else [])


transforms = pytest.mark.parametrize(
    ("transform", "distinct"), TRANSFORMS.values(), ids=[c.__name__ for c in TRANSFORMS]
)


@pytest.fixture
def image():
    return torch.randint(256, (3, 16, 16), generator=torch.Generator().manual_seed(0)).byte()


@transforms
def test_uint8_in_and_out_and_input_untouched(rng, pictures, transform, distinct):
    before = pictures.clone()
    out = transform(pictures, rng(0))
    assert (out.dtype, out.shape) == (torch.uint8, pictures.shape)
    assert torch.equal(pictures, before)
    assert not torch.equal(out, pictures)
    assert transform(pictures[:1], rng(0)).shape == pictures[:1].shape


@transforms
def test_randomness_is_per_image(rng, image, transform, distinct):
    out = transform(image.expand(128, 3, 16, 16), rng(0))
    assert len(out.flatten(1).unique(dim=0)) >= distinct


@transforms
def test_all_randomness_comes_from_the_generator(rng, pictures, transform, distinct):
    torch.manual_seed(1)
    first = transform(pictures, rng(3))
    state = torch.get_rng_state()
    torch.manual_seed(2)
    assert torch.equal(transform(pictures, rng(3)), first)
    assert not torch.equal(transform(pictures, rng(4)), first)
    torch.manual_seed(1)
    assert torch.equal(torch.get_rng_state(), state)


@transforms
def test_memory_layout_does_not_matter(rng, pictures, transform, distinct):
    last = pictures.to(memory_format=torch.channels_last)
    assert torch.equal(transform(last, rng(0)), transform(pictures, rng(0)))


@transforms
def test_wrong_images_are_refused(rng, pictures, transform, distinct):
    with pytest.raises(UserError, match="uint8"):
        transform(pictures.float(), rng(0))
    with pytest.raises(UserError, match="uint8"):
        transform(pictures[0], rng(0))


@transforms
def test_transform_survives_pickling(rng, pictures, transform, distinct):
    copy = pickle.loads(pickle.dumps(transform))
    assert repr(copy) == repr(transform)
    assert torch.equal(copy(pictures, rng(0)), transform(pictures, rng(0)))


@pytest.mark.gpu
@transforms
def test_transform_on_a_gpu(pictures, transform, distinct):
    images = pictures.cuda()
    first, second = (transform(images, torch.Generator("cuda").manual_seed(0)) for _ in range(2))
    assert first.is_cuda
    assert torch.equal(first, second)


mixings = pytest.mark.parametrize("mixing", MIXINGS.values(), ids=[c.__name__ for c in MIXINGS])
COUNTS = torch.tensor([500, 300, 20, 3])


def batch(dtype=torch.float32):
    images = torch.randint(256, (64, 3, 9, 7), generator=torch.Generator().manual_seed(4))
    return images.to(dtype), torch.arange(64) % 4


@mixings
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.uint8, torch.bfloat16])
def test_mix_has_the_promised_form(rng, mixing, dtype):
    images, targets = batch(dtype)
    before = images.clone()
    for seed in range(4):
        mixed = mixing(images, targets, COUNTS, rng(seed))
        assert (mixed.images.dtype, mixed.images.shape) == (dtype, images.shape)
        assert torch.equal(mixed.targets_a, targets)
        assert torch.equal(mixed.targets_b.sort().values, targets.sort().values)
        assert (mixed.share.dtype, mixed.share.shape) == (torch.float32, (64,))
        assert float(mixed.share.min()) >= 0
        assert float(mixed.share.max()) <= 1
    assert torch.equal(images, before)


@mixings
def test_mix_depends_on_the_generator_alone(rng, mixing):
    def numbers(seed):
        mixed = mixing(*batch(), COUNTS, rng(seed))
        return torch.cat((mixed.images.flatten(), mixed.targets_b, mixed.share))

    torch.manual_seed(1)
    first = numbers(3)
    state = torch.get_rng_state()
    torch.manual_seed(2)
    assert torch.equal(numbers(3), first)
    assert not torch.equal(numbers(4), first)
    torch.manual_seed(1)
    assert torch.equal(torch.get_rng_state(), state)


@mixings
def test_one_training_step_serves_all(rng, mixing):
    network = nn.Sequential(nn.Flatten(), nn.Linear(189, 4))
    images, targets = batch()
    for seed in range(4):
        mixed = mixing(images, targets, COUNTS, rng(seed))
        with mixed.inside(network):
            logits = network(mixed.images)
        assert logits.shape == (64, 4)
        assert len(network._forward_hooks) == 0


@mixings
def test_mixing_survives_pickling(rng, mixing):
    copy = pickle.loads(pickle.dumps(mixing))
    assert repr(copy) == repr(mixing)
    assert repr(mixing).startswith(type(mixing).__name__ + "(alpha=1.0, ")


@mixings
def test_labels_must_fit(rng, mixing):
    images, targets = batch()
    with pytest.raises(UserError, match="one class index per image"):
        mixing(images, targets[:5], COUNTS, rng(0))


@pytest.mark.gpu
@mixings
def test_mixing_on_a_gpu(mixing):
    images, targets = batch()
    generator = torch.Generator("cuda").manual_seed(0)
    mixed = mixing(images.cuda(), targets.cuda(), COUNTS.cuda(), generator)
    assert mixed.images.is_cuda
    assert mixed.share.is_cuda
