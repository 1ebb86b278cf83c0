import math

import pytest
import torch

from lt_lightning.augment import paste
from lt_lightning.augment.box import box_mask
from lt_lightning.augment.mixing import draw_beta
from lt_lightning.errors import UserError


def streams(n=6, m=6, size=(9, 14)):
    background = (torch.zeros(n, 3, *size), torch.arange(n))
    foreground = (torch.ones(m, 3, *size), torch.arange(m) + 100)
    return background, foreground


def test_box_mask_by_hand():
    def numbers(*values):
        return torch.tensor(values)

    mask = box_mask((3, 4), numbers(1, 0), numbers(2, 0), numbers(1, 3), numbers(2, 3))
    assert mask.shape == (2, 1, 3, 4)
    assert mask[0, 0].int().tolist() == [[0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]]
    assert mask[1, 0].int().tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]]


def test_share_is_what_is_left_of_the_background(rng):
    for seed in range(30):
        background, foreground = streams()
        mixed = paste(background, foreground, rng(seed), probability=1)
        assert mixed.targets_a.tolist() == list(range(6))
        assert mixed.targets_b.tolist() == list(range(100, 106))
        left = (mixed.images == 0).float().mean((1, 2, 3))
        torch.testing.assert_close(mixed.share, left)
        patch = mixed.images[0, 0]
        assert torch.equal(mixed.images, patch.expand_as(mixed.images))  # one box for all
        rows, columns = patch.amax(1), patch.amax(0)
        assert torch.equal(patch, rows[:, None] * columns)  # a full rectangle
        for line in (rows, columns):
            assert int((line.diff() != 0).sum()) <= 2  # in one piece


def test_uncut_box_has_the_drawn_area(rng):
    size = (60, 90)
    whole = 0
    for seed in range(40):
        lam = float(draw_beta(1.0, 1, rng(seed)))
        mixed = paste(*streams(1, 1, size), rng(seed), probability=1)
        patch = mixed.images[0, 0].bool()
        height, width = int(patch.any(1).sum()), int(patch.any(0).sum())
        expected = [int(math.sqrt(1 - lam) * side) for side in size]
        assert height <= expected[0]
        assert width <= expected[1]
        if [height, width] == expected:
            whole += 1
            assert abs(float(mixed.share[0]) - lam) < 0.03
    assert whole >= 3


def test_box_centres_are_uniform(rng, chi_square):
    counts = torch.zeros(4, 4)
    for seed in range(400):  # alpha large: always a box of 2 x 2 of 4 x 4
        mixed = paste(*streams(1, 1, (4, 4)), rng(seed), alpha=2000.0, probability=1)
        rows, columns = mixed.images[0, 0].amax(1), mixed.images[0, 0].amax(0)
        # Cut at the top, the box is row 0 alone; else its last row is the centre.
        counts[int(rows.nonzero().max()), int(columns.nonzero().max())] += 1
    side = math.floor(math.sqrt(0.49) * 4)
    assert side == 2
    assert chi_square(counts.flatten(), torch.full((16,), 25.0)) < 4


@pytest.mark.parametrize(
    ("probability", "low", "high"), [(0.0, 0, 0), (0.5, 70, 130), (1, 190, 200)]
)
def test_probability(rng, probability, low, high):
    pasted = 0
    for seed in range(200):
        mixed = paste(*streams(2, 2, (40, 40)), rng(seed), probability=probability)
        if not mixed.images.any():
            assert mixed.share.tolist() == [1, 1]
        pasted += bool(mixed.images.any())
    assert low <= pasted <= high


def test_longer_foreground_is_cut(rng):
    mixed = paste(*streams(4, 7), rng(0), probability=1)
    assert mixed.images.shape[0] == 4
    assert mixed.targets_b.tolist() == [100, 101, 102, 103]


def test_uint8_stays_uint8(rng):
    (x, y), (u, v) = streams()
    mixed = paste((x.to(torch.uint8), y), (u.to(torch.uint8), v), rng(0), probability=1)
    assert mixed.images.dtype == torch.uint8


def test_bad_calls(rng):
    background, foreground = streams(6, 5)
    with pytest.raises(UserError, match="at least as many foregrounds"):
        paste(background, foreground, rng(0))
    with pytest.raises(UserError, match="images of one size"):
        paste(background, streams(6, 6, (9, 15))[1], rng(0))
    with pytest.raises(UserError, match="one class index per image"):
        paste(background, (foreground[0], foreground[1][:3]), rng(0))
    with pytest.raises(UserError, match="alpha is 0"):
        paste(*streams(), rng(0), alpha=0)
    with pytest.raises(UserError, match="probability is 2"):
        paste(*streams(), rng(0), probability=2)
