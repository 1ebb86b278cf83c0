import pytest
import torch
from torchvision.transforms.v2 import functional as tv

from lt_lightning.augment import ops_color
from lt_lightning.augment.ops_color import autocontrast, equalize, posterize, solarize


def factors(rng):
    return torch.cat((torch.tensor([0.0, 1.0]), torch.rand(62, generator=rng(1)) * 2))


CASES = {
    "adjust_brightness": (factors, tv.adjust_brightness),
    "adjust_contrast": (factors, tv.adjust_contrast),
    "adjust_saturation": (factors, tv.adjust_saturation),
    "adjust_sharpness": (factors, tv.adjust_sharpness),
    "adjust_hue": (lambda rng: factors(rng) / 2 - 0.5, tv.adjust_hue),
    "posterize": (lambda _: torch.arange(64.0) % 9, lambda x, m: tv.posterize(x, int(m))),
    "solarize": (lambda rng: factors(rng) * 127.5, tv.solarize),
    "invert": (factors, lambda x, _: tv.invert(x)),
    "autocontrast": (factors, lambda x, _: tv.autocontrast(x)),
    "equalize": (factors, lambda x, _: tv.equalize(x)),
}
# Not bit-equal: the order of float sums, and the exact floor of autocontrast.
ROUNDED = {"adjust_contrast", "adjust_saturation", "adjust_hue", "autocontrast"}


def test_every_operation_has_a_case():
    public = {
        name
        for name, value in vars(ops_color).items()
        if callable(value) and value.__module__ == ops_color.__name__ and name[0] != "_"
    }
    assert public == CASES.keys()


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("channels", [1, 3])
def test_equals_torchvision_per_image(rng, pictures, name, channels):
    images = pictures[:, :channels]
    draw, oracle = CASES[name]
    magnitude = draw(rng)
    before = images.clone()
    out = getattr(ops_color, name)(images, magnitude)
    expected = torch.stack([oracle(x, float(m)) for x, m in zip(images, magnitude, strict=True)])
    assert out.dtype == torch.uint8
    difference = (out.int() - expected.int()).abs()
    assert int(difference.max()) <= (1 if name in ROUNDED else 0)
    if name != "autocontrast":
        assert float((difference > 0).float().mean()) < 1e-3
    assert torch.equal(images, before)


def test_autocontrast_is_the_exact_floor(pictures):
    out = autocontrast(pictures, torch.zeros(64))
    for before, after in zip(pictures.flatten(0, 1), out.flatten(0, 1), strict=True):
        pixels = before.flatten().tolist()
        low, high = min(pixels), max(pixels)
        golden = [p if low == high else (p - low) * 255 // (high - low) for p in pixels]
        assert after.flatten().tolist() == golden


def test_hand_made_posterize_and_solarize():
    image = torch.tensor([0, 127, 128, 255], dtype=torch.uint8).view(1, 1, 1, 4)
    bits = posterize(image.expand(3, 1, 1, 4), torch.tensor([0.0, 1.0, 8.0]))
    assert bits[:, 0, 0].tolist() == [[0, 0, 0, 0], [0, 0, 128, 128], [0, 127, 128, 255]]
    assert solarize(image, torch.tensor([128.0]))[0, 0, 0].tolist() == [0, 127, 127, 0]


def test_hand_made_equalize():
    # Four levels of 256 pixels: step (1024 - 256) // 255 = 3, level k becomes (256 k + 1) // 3.
    image = (torch.arange(1024) % 4 + 100).to(torch.uint8).view(1, 1, 32, 32)
    assert equalize(image, torch.zeros(1)).unique().tolist() == [0, 85, 171, 255]
    few_pixels = image[..., :15, :16]  # step 0
    assert torch.equal(equalize(few_pixels, torch.zeros(1)), few_pixels)


def test_equalize_rounds_as_torchvision_on_large_images(rng):
    images = torch.randint(40, (4, 3, 80, 80), generator=rng(0)).byte() * 3  # step about 24
    expected = torch.stack([tv.equalize(image) for image in images])
    assert torch.equal(equalize(images, torch.zeros(4)), expected)


def test_small_images_are_not_sharpened():
    images = torch.randint(256, (2, 3, 2, 9), dtype=torch.uint8)
    assert torch.equal(ops_color.adjust_sharpness(images, torch.full((2,), 1.9)), images)
