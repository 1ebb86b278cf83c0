import pytest
import torch

from lt_lightning.augment import Cutout, Normalize
from lt_lightning.augment.cutout import CIFAR_GREY
from lt_lightning.errors import UserError


@pytest.mark.parametrize("length", [1, 4, 7])
def test_hole_is_a_clipped_square_round_its_centre(rng, chi_square, length):
    images = torch.full((3600, 3, 6, 6), 200, dtype=torch.uint8)
    out = Cutout(1, length, fill=[1, 2, 3])(images, rng(0))
    assert out[:, 0].unique().tolist() == [1, 200]
    hole = out[:, 0] == 1
    assert torch.equal(hole, out[:, 2] == 3)
    # Every centre of the 36 gives one picture; each must come about 100 times.
    expected = set()
    for y in range(6):
        for x in range(6):
            top, left = y - length // 2, x - length // 2
            one = torch.zeros(6, 6, dtype=torch.bool)
            one[max(top, 0) : top + length, max(left, 0) : left + length] = True
            expected.add(tuple(one.flatten().tolist()))
    seen, counts = hole.flatten(1).unique(dim=0, return_counts=True)
    assert {tuple(row) for row in seen.tolist()} == expected
    if len(expected) == 36:
        assert chi_square(counts.float(), torch.full((36,), 100.0)) < 4


def test_number_of_holes(rng):
    images = torch.full((400, 3, 8, 8), 200, dtype=torch.uint8)
    assert torch.equal(Cutout(0)(images, rng(0)), images)
    out = Cutout(2, 1, fill=[0, 0, 0])(images, rng(0))
    holes = (out[:, 0] == 0).flatten(1).sum(1)
    assert holes.unique().tolist() == [1, 2]  # two holes fall together in 1 of 64 images
    assert int((holes == 1).sum()) < 20


def test_default_colour_is_about_zero_after_normalisation():
    image = torch.tensor(CIFAR_GREY, dtype=torch.uint8).view(1, 3, 1, 1)
    assert float(Normalize()(image).abs().max()) < 0.01


@pytest.mark.parametrize("options", [{"holes": -1}, {"length": 0}, {"fill": [256, 0, 0]}])
def test_bad_parameters(options):
    with pytest.raises(UserError, match="give a number"):
        Cutout(**options)


def test_fill_must_fit_the_channels(rng):
    with pytest.raises(UserError, match="1 channels: give one number per channel"):
        Cutout()(torch.zeros(2, 1, 4, 4, dtype=torch.uint8), rng(0))
