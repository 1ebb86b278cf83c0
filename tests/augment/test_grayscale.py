import pytest
import torch
from torchvision.transforms.v2 import functional as tv

from lt_lightning.augment import RandomGrayscale
from lt_lightning.errors import UserError


def test_grey_images_are_torchvisions_and_the_others_as_they_were(rng, pictures):
    out = RandomGrayscale(0.5)(pictures, rng(0))
    chosen = torch.rand(len(pictures), generator=rng(0)) < 0.5
    assert 20 < int(chosen.sum()) < 44
    for k, is_grey in enumerate(chosen.tolist()):
        grey = tv.rgb_to_grayscale(pictures[k], num_output_channels=3)
        expected = grey if is_grey else pictures[k]
        assert int((out[k].int() - expected.int()).abs().max()) <= (1 if is_grey else 0)


def test_grey_images_have_equal_channels(rng, pictures):
    out = RandomGrayscale(1.0)(pictures, rng(0))
    assert torch.equal(out, out[:, :1].expand_as(out))


@pytest.mark.parametrize(("probability", "share"), [(0.0, 0), (0.2, 0.2), (1.0, 1)])
def test_share_of_grey_images(rng, probability, share):
    images = torch.tensor([200, 40, 90], dtype=torch.uint8).view(1, 3, 1, 1).expand(4000, 3, 2, 2)
    out = RandomGrayscale(probability)(images, rng(1))
    grey = (out[:, 0] == out[:, 1]).flatten(1).all(1).float().mean()
    assert float(grey) == pytest.approx(share, abs=0.03)


def test_images_of_one_channel_stay(rng, pictures):
    assert torch.equal(RandomGrayscale(1.0)(pictures[:, :1], rng(0)), pictures[:, :1])


@pytest.mark.parametrize("probability", [-0.1, 1.5, float("nan")])
def test_bad_probability(probability):
    with pytest.raises(UserError, match=r"probability is .*: give a number from 0 to 1"):
        RandomGrayscale(probability)
