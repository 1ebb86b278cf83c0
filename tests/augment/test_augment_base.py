import pytest
import torch

from lt_lightning.augment import Compose, Cutout, RandomCropFlip
from lt_lightning.augment.base import apply_per_group, check_positive, check_range
from lt_lightning.errors import UserError


def test_compose_hands_one_generator_down_in_order(rng, pictures):
    crop, cut = RandomCropFlip(2), Cutout(1, 5)
    generator = rng(3)
    expected = cut(crop(pictures, generator), generator)
    assert torch.equal(Compose([crop, cut])(pictures, rng(3)), expected)
    assert not torch.equal(Compose([cut, crop])(pictures, rng(3)), expected)


def test_empty_compose_changes_nothing(rng, pictures):
    assert torch.equal(Compose([])(pictures, rng(0)), pictures)


def test_repr_names_the_parameters():
    assert repr(RandomCropFlip(2)) == "RandomCropFlip(padding=2, flip=0.5)"
    assert repr(Compose([Cutout()])) == (
        "Compose(transforms=[Cutout(holes=1, length=16, fill=[125, 123, 114])])"
    )


def test_apply_per_group_keeps_the_order():
    images = torch.zeros(6, 1, 2, 2, dtype=torch.uint8)
    choice = torch.tensor([2, 0, 1, 2, 0, 1])
    magnitude = torch.arange(6.0)
    calls = []

    def add(images, magnitude):
        calls.append(len(images))
        return images + magnitude.view(-1, 1, 1, 1).to(torch.uint8)

    def ten(images, magnitude):
        return images + 10

    out = apply_per_group(images, choice, [None, ten, add, add], magnitude)
    assert out[:, 0, 0, 0].tolist() == [0, 0, 10, 3, 0, 10]
    assert calls == [2]  # one call for the group, none for the operation that nobody drew
    assert not images.any()


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_check_range_names_value_and_range(value):
    with pytest.raises(UserError, match=rf"share is {value}: give a number from 0 to 1\."):
        check_range("share", value, 0, 1)


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_check_positive_names_the_value(value):
    with pytest.raises(UserError, match=f"alpha is {value}: give a number above 0"):
        check_positive("alpha", value)
