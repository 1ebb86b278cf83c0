"""Views of a picture: evaluation to the last bit, training from a JPEG decoded at a fraction."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms.v2 import functional as tv

from lt_lightning.data import view
from lt_lightning.data.decode import picture_of
from lt_lightning.data.reading import Reading
from lt_lightning.data.view import TrainingCrop, evaluation_side, evaluation_view

UPRIGHT_AS = {  # by EXIF orientation, what makes the stored picture of the one that is meant
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def photo(width, height, mode="RGB"):
    """Return a smooth picture, like a photograph in that a quarter of it looks like all of it."""
    numbers = np.random.default_rng(width * height)
    patches = numbers.integers(0, 256, (5, 6, 3), dtype=np.uint8)
    return Image.fromarray(patches).resize((width, height), Image.Resampling.BICUBIC).convert(mode)


def both(path, whole, size, scale, seed, upright=True):
    """Return the crop of a file, and the same box of its picture decoded whole."""
    crop = TrainingCrop(size, scale, upright)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        picture = picture_of(path, Reading(upright=upright), crop.choose)
    fraction = round(max(whole.size) / max(picture.size))
    left, columns = crop._part(crop._box[0], crop._box[2], picture.width)
    top, rows = crop._part(crop._box[1], crop._box[3], picture.height)
    box = [fraction * k for k in (left, top, left + columns, top + rows)]
    cut = whole.convert("RGB").crop(box).resize((size, size), Image.Resampling.BILINEAR)
    return fraction, crop.cut(picture).int(), torch.from_numpy(np.array(cut)).permute(2, 0, 1)


@pytest.mark.parametrize("size", [8, 64, 96, 224])
@pytest.mark.parametrize(
    "shape", [(500, 375), (375, 500), (257, 256), (11, 30), (1000, 90), (64, 64)]
)
def test_evaluation_is_torchvisions_resize_and_middle_crop_to_the_last_bit(shape, size):
    numbers = np.random.default_rng(0).integers(0, 256, (shape[1], shape[0], 3), dtype=np.uint8)
    image = Image.fromarray(numbers)
    if max(shape) <= size:
        wanted = tv.resize(image, [size, size])
    else:
        wanted = tv.center_crop(tv.resize(image, [evaluation_side(size)]), [size, size])
    assert np.array_equal(evaluation_view(image, size).permute(1, 2, 0).numpy(), np.array(wanted))


@pytest.mark.parametrize("size", [8, 96, 224])
@pytest.mark.parametrize("shape", [(500, 375), (90, 1000), (3, 4000), (5000, 2), (257, 256)])
def test_what_the_crop_shows_of_a_strip_is_that_of_the_whole(shape, size, monkeypatch):
    numbers = np.random.default_rng(0).integers(0, 256, (shape[1], shape[0], 3), dtype=np.uint8)
    image = Image.fromarray(numbers)
    monkeypatch.setattr(view, "WHOLE", 2**40)
    whole = evaluation_view(image, size).int()
    monkeypatch.setattr(view, "WHOLE", 0)
    assert int((evaluation_view(image, size).int() - whole).abs().max()) <= 1


@pytest.mark.parametrize("shape", [(30_000, 1), (1, 3_000_000), (400_000, 7)])
@pytest.mark.parametrize("size", [32, 224])
def test_a_strip_is_not_resized_as_a_whole(shape, size, monkeypatch):
    """Its short side asks for gigabytes; a step far out in it is where it was."""
    numbers = np.zeros((shape[1], shape[0], 3), dtype=np.uint8)
    half = max(shape) // 2
    numbers[(slice(None), slice(half, None)) if shape[0] > shape[1] else slice(half, None)] = 255
    resize, sizes = Image.Image.resize, []

    def spy(self, wanted, *more):
        sizes.append(wanted[0] * wanted[1])
        assert sizes[-1] <= view.WHOLE
        return resize(self, wanted, *more)

    monkeypatch.setattr(Image.Image, "resize", spy)
    found = evaluation_view(Image.fromarray(numbers), size)
    assert sizes
    found = found[0] if shape[0] > shape[1] else found[0].T
    assert torch.equal(found, found[:1].expand_as(found))
    middle = found[0, size // 2 - 1 : size // 2 + 1].float().mean()
    assert abs(float(middle) - 127.5) < 2 + 255 * min(shape) / evaluation_side(size)


CASES = [(16, 0.9), (16, 0.08), (40, 0.5), (64, 0.08), (200, 0.08), (300, 1.0)]


@pytest.mark.parametrize(("size", "scale"), CASES)
def test_a_jpeg_is_decoded_no_smaller_than_the_crop_asks_for(tmp_path, size, scale):
    photo(403, 301).save(tmp_path / "a.jpg")
    fractions = set()
    for seed in range(20):
        crop = TrainingCrop(size, scale, upright=True)
        with torch.random.fork_rng(), Image.open(tmp_path / "a.jpg") as opened:
            torch.manual_seed(seed)
            crop.choose(opened)
            opened.load()
            fraction = round(403 / opened.width)
            left, top, width, height = crop._box
            assert left + width <= 403
            assert top + height <= 301
            assert fraction == 1 or min(width, height) >= fraction * size
            assert fraction == 8 or min(width, height) < 2 * fraction * size, "nor larger"
            assert crop.cut(opened).shape == (3, size, size)
        fractions.add(fraction)
    assert (fractions == {1}) == (size >= 200)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize(("size", "most"), [(16, 8), (36, 4), (72, 2)])
def test_a_fraction_looks_like_the_whole_picture(tmp_path, mode, size, most):
    photo(403, 301, mode).save(tmp_path / "a.jpg", quality=95)
    with Image.open(tmp_path / "a.jpg") as whole:
        pairs = [both(tmp_path / "a.jpg", whole, size, 0.5, seed) for seed in range(6)]
    assert max(fraction for fraction, _, _ in pairs) == most
    for k, (_, found, wanted) in enumerate(pairs):
        assert (found - wanted).abs().float().mean() < 1
        assert (found - wanted).abs().max() <= 12
        other = pairs[k - 1][2].int()
        assert (found - other).abs().float().mean() > 4, "so another crop is not like it"


@pytest.mark.parametrize("orientation", UPRIGHT_AS)
def test_a_fraction_is_turned_like_the_whole_picture(tmp_path, orientation):
    meant, how = photo(400, 304), UPRIGHT_AS[orientation]
    stored = meant if how is None else meant.transpose(how)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "a.jpg", quality=95, exif=exif)
    for whole, upright in ((meant, True), (stored, False)):
        fraction, found, wanted = both(tmp_path / "a.jpg", whole, 32, 0.5, 1, upright)
        assert fraction > 1
        assert (found - wanted).abs().float().mean() < 1


def test_what_is_no_jpeg_is_decoded_whole(tmp_path):
    photo(400, 304).save(tmp_path / "a.png")
    fraction, found, wanted = both(tmp_path / "a.png", photo(400, 304), 16, 0.5, 1)
    assert fraction == 1
    assert (found - wanted).abs().float().mean() < 1
