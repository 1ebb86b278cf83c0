"""Pasting by hand-made masks, and against a slow loop."""

import math

import pytest
import torch

from lt_lightning.cam import Foreground, Moves, draw_moves, paste_moved
from lt_lightning.cam.moves import FLIP, SHIFT, TURN


def move(kind, degrees=0.0, scale=1.0, across=0.0, down=0.0):
    wide = torch.float64
    return Moves(
        torch.tensor([kind]),
        torch.tensor([degrees]),
        torch.tensor([scale]),
        torch.tensor([across], dtype=wide),
        torch.tensor([down], dtype=wide),
    )


def pasted(picture, mask, how):
    """Return the picture (H, W) of one channel after one move."""
    images = torch.tensor(picture, dtype=torch.uint8)[None, None]
    found = Foreground.of(torch.tensor(mask, dtype=torch.bool)[None])
    return paste_moved(images, found, how)[0, 0].tolist()


PICTURE = [
    [10, 11, 12, 13, 14],
    [20, 21, 22, 23, 24],
    [30, 31, 32, 33, 34],
    [40, 41, 42, 43, 44],
]
# An L of three pixels; its box is rows 1..2 and columns 1..2.
MASK = [
    [0, 0, 0, 0, 0],
    [0, 1, 0, 0, 0],
    [0, 1, 1, 0, 0],
    [0, 0, 0, 0, 0],
]


def test_flip_mirrors_the_foreground_in_the_picture():
    assert pasted(PICTURE, MASK, move(FLIP)) == [
        [10, 11, 12, 13, 14],
        [20, 21, 22, 21, 24],
        [30, 31, 32, 31, 34],
        [40, 41, 42, 43, 44],
    ]


def test_shift_to_the_upper_left_corner():
    assert pasted(PICTURE, MASK, move(SHIFT)) == [
        [21, 11, 12, 13, 14],
        [31, 32, 22, 23, 24],
        [30, 31, 32, 33, 34],
        [40, 41, 42, 43, 44],
    ]


def test_shift_to_the_lower_right_corner_keeps_the_box_inside():
    end = math.nextafter(1.0, 0.0)
    assert pasted(PICTURE, MASK, move(SHIFT, across=end, down=end)) == [
        [10, 11, 12, 13, 14],
        [20, 21, 22, 23, 24],
        [30, 31, 32, 21, 34],
        [40, 41, 42, 31, 32],
    ]


def test_every_place_of_the_box_has_the_same_share_of_shifts():
    room = 4  # a box two wide in a picture five wide
    seen = [pasted(PICTURE, MASK, move(SHIFT, across=(k + 0.5) / 8))[1][0:4] for k in range(8)]
    assert len({tuple(row) for row in seen}) == room
    assert all(seen[2 * k] == seen[2 * k + 1] for k in range(room))


def test_box_as_large_as_the_picture_cannot_be_shifted():
    corners = [[1, 0, 0, 0, 0], [0] * 5, [0] * 5, [0, 0, 0, 0, 1]]
    assert pasted(PICTURE, corners, move(SHIFT, across=0.9, down=0.9)) == PICTURE


def test_turn_by_nothing_changes_nothing():
    assert pasted(PICTURE, MASK, move(TURN)) == PICTURE


def test_quarter_turn_is_counter_clockwise_about_the_middle_of_the_box():
    # The L has its corner at the lower left; turned, it has it at the lower right.
    assert pasted(PICTURE, MASK, move(TURN, degrees=90.0)) == [
        [10, 11, 12, 13, 14],
        [20, 21, 32, 23, 24],
        [30, 21, 31, 33, 34],
        [40, 41, 42, 43, 44],
    ]


def test_scale_grows_the_foreground_about_the_middle_of_its_box():
    picture = torch.zeros(9, 9, dtype=torch.uint8)
    picture[3:6, 3:6] = 200
    mask = picture > 0
    grown = torch.tensor(pasted(picture.tolist(), mask.tolist(), move(TURN, scale=1.67)))
    assert bool((grown[2:7, 2:7] > 0).all())
    assert int((grown > 0).sum()) == 25
    shrunk = torch.tensor(pasted(picture.tolist(), mask.tolist(), move(TURN, scale=0.4)))
    assert torch.equal(shrunk, picture), "the old foreground stays below"


def test_old_place_keeps_its_pixels_and_black_is_a_colour():
    black = [[0 if MASK[i][j] else PICTURE[i][j] for j in range(5)] for i in range(4)]
    assert pasted(black, MASK, move(FLIP))[1] == [20, 0, 22, 0, 24]


def test_edge_of_the_picture_does_not_darken_what_is_turned():
    plain, whole = [[200] * 7] * 5, [[1] * 7] * 5
    for degrees, scale in ((30.0, 1.0), (-45.0, 1.19), (13.0, 0.8)):
        assert pasted(plain, whole, move(TURN, degrees, scale)) == plain


def _bilinear(picture, y, x):
    """Return the colour at a place, the edge repeated outside."""
    height, width = picture.shape
    top, left = math.floor(y), math.floor(x)
    value = 0.0
    for row, column in ((top, left), (top, left + 1), (top + 1, left), (top + 1, left + 1)):
        weight = (1 - abs(y - row)) * (1 - abs(x - column))
        value += weight * float(
            picture[min(max(row, 0), height - 1), min(max(column, 0), width - 1)]
        )
    return value


def _slow_turn(picture, found, degrees, scale):
    """Return the picture with its foreground turned, pixel by pixel, before rounding."""
    mask = found.mask[0]
    height, width = mask.shape
    cy, cx = (int(found.top) + int(found.bottom)) / 2, (int(found.left) + int(found.right)) / 2
    angle = math.radians(degrees)
    out = picture.double().clone()
    for y in range(height):
        for x in range(width):
            # Turned back clockwise; y points down.
            dx, dy = (x - cx) / scale, (y - cy) / scale
            sx = cx + dx * math.cos(angle) - dy * math.sin(angle)
            sy = cy + dx * math.sin(angle) + dy * math.cos(angle)
            row, column = round(sy), round(sx)
            if 0 <= row < height and 0 <= column < width and mask[row, column]:
                out[y, x] = _bilinear(picture, min(max(sy, 0), height - 1), sx)
    return out


@pytest.mark.parametrize(("degrees", "scale"), [(31.0, 1.13), (-45.0, 0.83), (44.0, 1.0)])
def test_turn_equals_a_slow_loop(degrees, scale):
    generator = torch.Generator().manual_seed(3)
    picture = torch.randint(0, 256, (12, 15), dtype=torch.uint8, generator=generator)
    mask = torch.zeros(1, 12, 15, dtype=torch.bool)
    mask[0, 2:8, 4:12] = torch.rand(6, 8, generator=generator) < 0.8
    found = Foreground.of(mask)
    result = paste_moved(picture[None, None], found, move(TURN, degrees, scale))[0, 0]
    expected = _slow_turn(picture, found, degrees, scale)
    assert float((result - expected).abs().max()) <= 0.51  # rounded to whole numbers
    assert bool((result != picture).any())


def test_each_image_of_a_batch_has_its_own_move():
    generator = torch.Generator().manual_seed(5)
    images = torch.randint(0, 256, (9, 3, 10, 12), dtype=torch.uint8, generator=generator)
    masks = torch.zeros(9, 10, 12, dtype=torch.bool)
    masks[:, 3:7, 2:9] = True
    masks[4:, 1, 1] = True
    found, moves = Foreground.of(masks), draw_moves(9, generator)
    assert set(moves.kind.tolist()) == {TURN, SHIFT, FLIP}
    before = images.clone()
    together = paste_moved(images, found, moves)
    assert torch.equal(images, before)
    for k in range(9):
        one = slice(k, k + 1)
        alone = paste_moved(images[one], Foreground.of(masks[one]), moves.part(one))
        assert torch.equal(together[one], alone)


def test_moves_are_those_of_the_published_code():
    moves = draw_moves(30_000, torch.Generator().manual_seed(0))
    shares = torch.bincount(moves.kind, minlength=3) / 30_000
    assert float((shares - 1 / 3).abs().max()) < 0.015
    assert sorted(set(moves.degrees.tolist())) == [float(d) for d in range(-45, 45)]
    hundredths = (100 * moves.scale).round()
    assert sorted(set(hundredths.tolist())) == [float(s) for s in range(80, 120)]
    for share in (moves.across, moves.down):
        assert 0 <= float(share.min()) < 0.001
        assert 0.999 < float(share.max()) < 1
    assert abs(float(torch.corrcoef(torch.stack([moves.across, moves.down]))[0, 1])) < 0.03


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_images_on_a_gpu_are_those_of_the_cpu():
    generator = torch.Generator().manual_seed(5)
    images = torch.randint(0, 256, (64, 3, 32, 32), dtype=torch.uint8, generator=generator)
    masks = torch.rand(64, 32, 32, generator=generator) < 0.3
    masks[:, 16, 16] = True
    moves, gpu = draw_moves(64, generator), torch.device("cuda")
    here = paste_moved(images, Foreground.of(masks), moves)
    there = paste_moved(images.to(gpu), Foreground.of(masks.to(gpu)), moves.to(gpu)).cpu()
    # A place that lies between two pixels may go to the other one.
    assert float((here != there).float().mean()) < 0.01
