import pytest
import torch
from torchvision.transforms.v2 import functional as tv

from lt_lightning.augment import RandomCropFlip
from lt_lightning.augment.crop_flip import crop_flip
from lt_lightning.errors import UserError


@pytest.mark.parametrize("padding", [0, 1, 4, 30])
def test_equals_torchvision_per_image(rng, pictures, padding):
    n, _, height, width = pictures.shape
    g = rng(0)
    dy, dx = torch.randint(2 * padding + 1, (2, n, 1), generator=g)
    mirrored = torch.rand(n, 1, generator=g) < 0.5
    out = crop_flip(pictures, dy, dx, mirrored, padding=padding)
    for k in range(n):
        one = tv.crop(tv.pad(pictures[k], padding), int(dy[k]), int(dx[k]), height, width)
        assert torch.equal(out[k], tv.hflip(one) if mirrored[k] else one)


def test_offsets_and_flips_are_uniform_and_independent(rng, chi_square):
    # One bright pixel left of the middle tells offset and flip of its image.
    images = torch.zeros(8100, 1, 21, 21, dtype=torch.uint8)
    images[:, 0, 10, 5] = 255
    places = RandomCropFlip(4)(images, rng(1)).flatten(1).int().argmax(1)
    y, x = places // 21, places % 21
    flipped = x > 10
    shift = torch.where(flipped, 20 - x, x) - 1
    cells = ((y - 6) * 9 + shift) * 2 + flipped
    counts = torch.bincount(cells, minlength=162).float()
    assert len(counts) == 162
    assert chi_square(counts, torch.full((162,), 50.0)) < 4


@pytest.mark.parametrize(("flip", "expected"), [(0.0, 0), (1.0, 200)])
def test_flip_probability_at_its_ends(rng, flip, expected):
    images = torch.zeros(200, 1, 1, 2, dtype=torch.uint8)
    images[..., 0] = 1
    out = RandomCropFlip(0, flip)(images, rng(0))
    assert int(out[..., 1].sum()) == expected


@pytest.mark.parametrize("options", [{"padding": -1}, {"flip": 1.5}, {"flip": -0.1}])
def test_bad_parameters(options):
    with pytest.raises(UserError, match="give a number"):
        RandomCropFlip(**options)
