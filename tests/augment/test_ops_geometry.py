import math

import pytest
import torch
from torchvision.transforms.v2 import functional as tv

from lt_lightning.augment import ops_geometry
from lt_lightning.augment.ops_geometry import rotate, shear_x, translate_x, translate_y


def shear(image, x, y, fill):
    angles = [math.degrees(math.atan(x)), math.degrees(math.atan(y))]
    return tv.affine(image, 0.0, [0, 0], 1.0, angles, center=[0, 0], fill=fill)


def move(image, x, y, fill):
    return tv.affine(image, 0.0, [int(x), int(y)], 1.0, [0.0, 0.0], fill=fill)


CASES = {
    "shear_x": (0.3, lambda i, m, fill: shear(i, m, 0, fill)),
    "shear_y": (0.3, lambda i, m, fill: shear(i, 0, m, fill)),
    "translate_x": (14.5, lambda i, m, fill: move(i, m, 0, fill)),
    "translate_y": (14.5, lambda i, m, fill: move(i, 0, m, fill)),
    "rotate": (30.0, lambda i, m, fill: tv.rotate(i, m, fill=fill)),
}
# Pixels that map to the middle between two input pixels can fall on the other side; their share:
TIES = 2e-3


def test_every_operation_has_a_case():
    public = {
        name
        for name, value in vars(ops_geometry).items()
        if callable(value) and value.__module__ == ops_geometry.__name__ and name[0] != "_"
    }
    assert public == CASES.keys()


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("fill", [0, 128])
@pytest.mark.parametrize("size", [(17, 24), (16, 16)])
def test_equals_torchvision_per_image(rng, pictures, name, fill, size):
    images = pictures[:, :, : size[0], : size[1]]
    high, oracle = CASES[name]
    steps = torch.linspace(-1, 1, 19)  # the levels of AutoAugment
    magnitude = torch.cat((steps, torch.rand(45, generator=rng(2)) * 2 - 1)) * high
    before = images.clone()
    out = getattr(ops_geometry, name)(images, magnitude, fill)

    def reference(scale):
        pairs = zip(images, (magnitude * scale).tolist(), strict=True)
        return torch.stack([oracle(x, m, fill) for x, m in pairs])

    same = out == reference(1.0)
    assert out.dtype == torch.uint8
    assert float((~same).float().mean()) <= TIES
    # Where they differ, torchvision itself gives our pixel for a magnitude a hair away.
    assert bool((same | (out == reference(1.00001)) | (out == reference(0.99999))).all())
    assert torch.equal(images, before)


def test_hand_made_moves():
    image = torch.tensor([[1, 2, 3], [4, 5, 6], [7, 8, 9]], dtype=torch.uint8).view(1, 1, 3, 3)
    right = translate_x(image, torch.tensor([1.9]), fill=50)
    assert right[0, 0].tolist() == [[50, 1, 2], [50, 4, 5], [50, 7, 8]]
    up = translate_y(image, torch.tensor([-1.0]))
    assert up[0, 0].tolist() == [[4, 5, 6], [7, 8, 9], [0, 0, 0]]
    turned = rotate(image, torch.tensor([90.0]))
    assert turned[0, 0].tolist() == [[3, 6, 9], [2, 5, 8], [1, 4, 7]]
    leaned = shear_x(image, torch.tensor([1.0]) * 0.9)
    assert leaned[0, 0].tolist() == [[1, 2, 3], [5, 6, 0], [9, 0, 0]]
