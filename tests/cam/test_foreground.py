"""Foregrounds and boxes by hand."""

import pytest
import torch

from lt_lightning.cam import Foreground, foregrounds


def mask(*rows):
    return torch.tensor([[c == "#" for c in row] for row in rows])


def box(found):
    return [int(side) for side in (found.top, found.bottom, found.left, found.right)]


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        (mask("....", ".##.", ".#.."), [1, 2, 1, 2]),
        (mask("...#", "....", "...."), [0, 0, 3, 3]),
        (mask("....", "....", "#..."), [2, 2, 0, 0]),
        (mask("#...", "....", "...#"), [0, 2, 0, 3]),  # two parts, one box
        (mask("####", "####", "####"), [0, 2, 0, 3]),
    ],
)
def test_box_ends_at_the_outermost_pixels(picture, expected):
    assert box(Foreground.of(picture[None])) == expected


def test_boxes_of_a_batch_are_those_of_each_image():
    generator = torch.Generator().manual_seed(0)
    masks = torch.rand(50, 6, 9, generator=generator) < 0.1
    masks[:, 3, 4] = True
    found = Foreground.of(masks)
    for k, each in enumerate(masks):
        rows, columns = each.nonzero().unbind(1)
        expected = [rows.min(), rows.max(), columns.min(), columns.max()]
        assert [found.top[k], found.bottom[k], found.left[k], found.right[k]] == expected


def test_foreground_is_at_least_threshold_times_the_mean():
    maps = torch.tensor([[[0.0, 0.2, 0.3, 1.0]]])  # mean 0.375
    assert foregrounds(maps, (1, 4), 0.75).mask.tolist() == [[[False, False, True, True]]]
    assert foregrounds(maps, (1, 4), 0.5).mask.tolist() == [[[False, True, True, True]]]
    assert foregrounds(maps, (1, 4), 1.0).mask.tolist() == [[[False, False, False, True]]]


def test_pixels_at_the_threshold_belong_to_the_foreground():
    maps = torch.tensor([[[0.0, 0.375, 1.0, 0.625]]])  # mean 0.5
    assert foregrounds(maps, (1, 4), 0.75).mask.tolist() == [[[False, True, True, True]]]


def test_each_map_has_its_own_mean():
    low, high = torch.tensor([[0.0, 0.1], [0.1, 0.2]]), torch.tensor([[0.0, 1.0], [1.0, 1.0]])
    alone = [foregrounds(m[None], (8, 8)).mask for m in (low, high)]
    assert torch.equal(foregrounds(torch.stack([low, high]), (8, 8)).mask, torch.cat(alone))


def test_map_of_one_value_is_all_foreground():
    assert foregrounds(torch.zeros(1, 2, 2), (5, 7)).mask.all()


def test_map_is_enlarged_to_the_image_whatever_its_shape():
    maps = torch.zeros(1, 4, 4)
    maps[0, 1, 2] = 1.0
    found = foregrounds(maps, (16, 32))
    assert found.mask.shape == (1, 16, 32)
    # Bilinear: the bright cell is rows 4..7 and columns 16..23, and reaches half a cell beyond.
    assert bool(found.mask[0, 4:8, 16:24].all())
    assert [int(found.top), int(found.bottom)] == [2, 9]
    assert [int(found.left), int(found.right)] == [12, 27]
