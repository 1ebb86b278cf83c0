"""What every transform and every mixing of the folder promises; new classes are found here."""

import importlib
import inspect
import pickle
import pkgutil
from abc import ABCMeta

import pytest
import torch

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
from lt_lightning.augment.remix import remix_share
from lt_lightning.errors import UserError
from lt_lightning.testing import check_augment

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


@transforms
def test_contract_of_transforms(transform, distinct):
    check_augment(transform, distinct=distinct)


@transforms
@pytest.mark.parametrize("channels", [1, 2, 4])
def test_other_channels_are_transformed_or_refused(rng, transform, distinct, channels):
    images = torch.randint(256, (8, channels, 17, 24), generator=rng(0), dtype=torch.uint8)
    grey = isinstance(transform, AutoAugment | ColorJitter | RandAugment | RandomGrayscale)
    filled = isinstance(transform, Compose | Cutout)  # with a colour of three numbers
    if filled or (grey and channels != 1):
        with pytest.raises(UserError, match=f"have {channels} channels: "):
            transform(images, rng(0))
    else:
        assert transform(images, rng(0)).shape == images.shape


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
def test_contract_of_mixings(mixing):
    check_augment(mixing)


@mixings
def test_mixing_survives_pickling(rng, mixing):
    copy = pickle.loads(pickle.dumps(mixing))
    assert repr(copy) == repr(mixing)
    assert repr(mixing).startswith(type(mixing).__name__ + "(alpha=1.0, ")


@mixings
def test_what_is_given_must_fit(mixing):
    images, targets = batch()
    for share, words in ((1.5, "from 1.5 to 1.5"), (torch.ones(5), "one per image")):
        with pytest.raises(UserError, match=words):
            mixing(images, targets, COUNTS, share=share)
    for given in ((images.tolist(), targets), (images.numpy(), targets), (images, [0] * 64)):
        with pytest.raises(UserError, match="give a tensor"):
            mixing(*given, COUNTS)
    for order in (torch.arange(63), torch.arange(64) + 1, torch.rand(64)):
        with pytest.raises(UserError, match="number of a partner"):
            mixing(images, targets, COUNTS, permutation=order)


def test_a_given_share_is_that_of_image_and_label():
    images, targets = batch()
    order = torch.arange(63, -1, -1)
    mixed = Mixup()(images, targets, share=0.25, permutation=order)
    torch.testing.assert_close(mixed.images, 0.25 * images + 0.75 * images[order])
    assert mixed.share.tolist() == [0.25] * 64
    shares = torch.linspace(0, 1, 64)
    remixed = Remix()(images, targets, COUNTS.tolist(), share=shares, permutation=order)
    first, second = COUNTS[targets], COUNTS[targets[order]]
    assert torch.equal(remixed.share, remix_share(shares, first, second))
    with pytest.raises(UserError, match="Remix leans to the rarer class of a pair: give it"):
        Remix()(images, targets)
    with pytest.raises(UserError, match="class_counts has 2 classes"):
        Remix()(images, targets, [5, 3])
    cut = CutMix(probability=0.0)(images, targets, share=0.0, permutation=order)
    assert float(cut.share[0]) < 1
    with pytest.raises(UserError, match=r"shape \(64, 3\): give \(N, C, H, W\)"):
        CutMix()(images[:, :, 0, 0], targets)
    with pytest.raises(UserError, match="one box per batch"):
        CutMix()(images, targets, share=shares)


@pytest.mark.gpu
@mixings
def test_mixing_on_a_gpu(mixing):
    images, targets = batch()
    generator = torch.Generator("cuda").manual_seed(0)
    mixed = mixing(images.cuda(), targets.cuda(), COUNTS.cuda(), generator)
    assert mixed.images.is_cuda
    assert mixed.share.is_cuda
