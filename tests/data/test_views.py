"""Several views of an image in a batch, and an augmentation for each named sampler."""

import pytest
import torch
from PIL import Image

from lt_lightning.augment import BatchTransform, RandomCropFlip
from lt_lightning.data import Digits, ImageFolder, LongTailDataModule
from lt_lightning.data.profiles import AsIs, Exponential
from lt_lightning.errors import UserError
from lt_lightning.samplers import InstanceBalanced

TWO = {"a": InstanceBalanced(), "b": InstanceBalanced()}


class Darker(BatchTransform):
    """Black images, so that a test sees which stream has it."""

    def __call__(self, images, generator):
        return torch.zeros_like(images)


def module(**options):
    settings = {
        "source": Digits(size=8),
        "profile": Exponential(imbalance_ratio=10),
        "augment": RandomCropFlip(padding=2, flip=0.0),
        "samplers": TWO,
        "batch_size": 16,
        "workers": 0,
        "seed": 3,
    }
    data = LongTailDataModule(**{**settings, **options})
    data.setup("fit")
    return data


def batches(data):
    return {name: list(loader) for name, loader in data.train_dataloader().iterables.items()}


def test_views_are_the_same_images_augmented_anew():
    plain, two = batches(module(augment=None)), batches(module(augment=None, views={"a": 2}))
    for (images, labels), (twice, both) in zip(plain["a"], two["a"], strict=True):
        assert torch.equal(twice, images.repeat(2, 1, 1, 1))
        assert torch.equal(both, labels.repeat(2))
    augmented = batches(module(views={"a": 3}))["a"]
    for images, _ in augmented:
        first, second, third = images.chunk(3)
        assert not torch.equal(first, second)
        assert not torch.equal(second, third)


def test_other_streams_stay_as_they_were():
    plain, two = batches(module()), batches(module(views={"a": 2}))
    for (images, labels), (same, also) in zip(plain["b"], two["b"], strict=True):
        assert torch.equal(images, same)
        assert torch.equal(labels, also)
    assert len(plain["a"]) == len(two["a"])


def test_views_go_on_after_a_resume():
    loader = module(views={"a": 2}).train_dataloader().iterables["a"]
    whole = list(loader)
    again = module(views={"a": 2}).train_dataloader().iterables["a"]
    again.load_state_dict({"done": 3})
    for (images, labels), (same, also) in zip(whole[3:], again, strict=True):
        assert torch.equal(images, same)
        assert torch.equal(labels, also)


def test_images_in_files_are_read_anew_for_each_view(tmp_path):
    pixels = torch.arange(48 * 48 * 3, dtype=torch.int32).remainder(251).byte().view(48, 48, 3)
    for split in ("train", "test"):
        for name in ("ant", "bee"):
            (tmp_path / split / name).mkdir(parents=True)
            Image.fromarray(pixels.numpy()).save(tmp_path / split / name / "0.png")
    data = module(
        source=ImageFolder(image_size=16, in_memory=False),
        root=str(tmp_path),
        profile=AsIs(),
        augment=None,
        views={"a": 2},
        batch_size=2,
    )
    ((images, labels),) = batches(data)["a"]
    first, second = images.chunk(2)
    assert torch.equal(labels[:2], labels[2:])
    assert not torch.equal(first, second)  # another random resized crop


def test_each_stream_may_have_its_own_augmentation():
    found = batches(module(augments={"b": Darker()}, augment=None))
    assert all(float(images.std()) > 0 for images, _ in found["a"])
    assert all(float(images.flatten(2).std(2).max()) == 0 for images, _ in found["b"])
    found = batches(module(augments={"b": None}, augment=Darker()))
    assert all(float(images.flatten(2).std(2).max()) == 0 for images, _ in found["a"])
    assert all(float(images.std()) > 0 for images, _ in found["b"])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"views": {"c": 2}}, "data.views has 'c' but data.samplers has a, b"),
        ({"augments": {"c": None}}, "data.augments has 'c' but data.samplers has a, b"),
        ({"views": {"a": 2}, "samplers": None}, "data.views has 'a' but data.samplers is not"),
        ({"views": {"a": 0}}, r"data.views.a is 0: give 1 or more"),
    ],
)
def test_views_of_no_sampler_are_refused(options, sentence):
    with pytest.raises(UserError, match=sentence):
        module(**options)
