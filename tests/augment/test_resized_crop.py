import pytest
import torch
from torchvision.transforms.v2 import functional as tv

from lt_lightning.augment import RandomResizedCrop
from lt_lightning.augment.resized_crop import resized_crop
from lt_lightning.errors import UserError


def test_equals_torchvision_per_image(rng, pictures):
    n, _, height, width = pictures.shape
    boxes = RandomResizedCrop(0.05, 2.0)._boxes(n, height, width, rng(0))
    out = resized_crop(pictures, *boxes)
    for k in range(n):
        top, left, rows, columns = (int(part[k]) for part in boxes)
        want = tv.resized_crop(
            pictures[k].float(), top, left, rows, columns, [height, width], antialias=True
        )
        assert float((out[k].float() - want).abs().max()) <= 0.51
        levels = tv.resized_crop(pictures[k], top, left, rows, columns, [height, width])
        assert int((out[k].int() - levels.int()).abs().max()) <= 1


def test_whole_image_stays_as_it_is(rng, pictures):
    square = pictures[:, :, :16, :16]
    assert torch.equal(RandomResizedCrop(1.0, 1.0)(square, rng(0)), square)


def test_boxes_lie_inside_and_have_the_drawn_area_and_shape(rng):
    n, size = 4000, 64
    top, left, rows, columns = RandomResizedCrop(0.2)._boxes(n, size, size, rng(1))
    for start, length in ((top, rows), (left, columns)):
        assert int(start.min()) == 0
        assert int((start + length).max()) == size
        assert int(length.min()) >= 1
    area = (rows * columns).double() / size**2
    assert 0.18 < float(area.min()) < 0.22
    assert float(area.max()) <= 1
    # wide boxes do not fit, so the largest areas are drawn less often, as in torchvision
    assert float(area.mean()) == pytest.approx(0.57, abs=0.03)
    ratio = (columns.double() / rows).log()
    assert float(ratio.mean()) == pytest.approx(0, abs=0.02)
    assert float(ratio.abs().max()) < torch.tensor(4 / 3).log() + 0.06
    spare = size - rows
    place = top[spare > 10].double() / spare[spare > 10]
    assert float(place.mean()) == pytest.approx(0.5, abs=0.03)


def test_box_that_never_fits_is_the_largest_in_the_middle(rng):
    boxes = RandomResizedCrop(1.0, 1.0)._boxes(3, 10, 31, rng(0))
    assert [part.flatten().tolist() for part in boxes] == [[0] * 3, [10] * 3, [10] * 3, [10] * 3]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"min_area": 0.0}, r"min_area is 0\.0: give a share"),
        ({"min_area": 1.5}, r"min_area is 1\.5: give a share"),
        ({"max_ratio": 0.9}, r"max_ratio is 0\.9: give a number at least 1"),
    ],
)
def test_bad_parameters(options, sentence):
    with pytest.raises(UserError, match=sentence):
        RandomResizedCrop(**options)
