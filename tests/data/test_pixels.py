"""A picture keeps its upper side and its transparency, or is named."""

import struct

import numpy as np
import pytest
from PIL import Image
from pixel_files import found, png

from lt_lightning.data.pixels import formats, rgb, upright_size
from lt_lightning.data.reading import Reading

RED, BLUE = (200, 40, 10), (10, 60, 250)


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_its_exif_says(tmp_path, suffix, orientation):
    corners = np.zeros((8, 8, 3), dtype=np.uint8)
    corners[:4, :4], corners[:4, 4:], corners[4:, :4] = 255, (255, 0, 0), (0, 0, 255)
    stored = {  # what a camera that is held so writes down
        1: corners,
        2: corners[:, ::-1],
        3: corners[::-1, ::-1],
        4: corners[::-1],
        5: corners.transpose(1, 0, 2),
        6: np.rot90(corners, 1),
        7: corners[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(corners, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"turned.{suffix}"
    lossless = {"lossless": True} if suffix == "webp" else {"quality": 100, "subsampling": 0}
    lossless = {} if suffix in ("png", "tif") else lossless
    Image.fromarray(np.ascontiguousarray(stored)).save(path, exif=exif, **lossless)
    assert np.abs(found(path).astype(int) - corners).max() <= 8


@pytest.mark.parametrize("upright", [True, False])
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp", "avif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_header_tells_the_size_of_the_upright_picture(tmp_path, suffix, orientation, upright):
    if suffix == "avif" and "AVIF" not in formats():
        pytest.skip("this Pillow reads no AVIF")
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (24, 16)).save(tmp_path / f"a.{suffix}", exif=exif)
    with Image.open(tmp_path / f"a.{suffix}") as opened:
        told = upright_size(opened, upright)
        assert rgb(opened, Reading(upright=upright)).size == told


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_there_is_not_turns_nothing(tmp_path, value, picture):
    exif = Image.Exif()
    exif[0x0112] = value
    Image.fromarray(picture(0)).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(found(tmp_path / "a.png"), picture(0))


def test_damaged_exif_does_not_cost_the_picture(tmp_path, picture):
    Image.fromarray(picture(0)).save(tmp_path / "a.png", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    assert np.array_equal(found(tmp_path / "a.png"), picture(0))


def half_clear(mode):
    """Return a picture of that mode, and what its file must say beside it; its left is clear."""
    solid = np.zeros((8, 8, 4), dtype=np.uint8)
    solid[:, 4:] = (*RED, 255)
    image, kind = Image.fromarray(solid), mode.removesuffix("+key")
    if mode == "P+key":
        image = image.convert("RGB").quantize(2)
        return image, {"transparency": image.getpixel((0, 0))}
    if kind != mode:
        black = (0, 0, 0) if kind == "RGB" else 0
        grey = image.convert("RGB").convert("L").point(lambda v: 255 if v else 0)
        return (grey if kind == "1" else image.convert("RGB")).convert(kind), {
            "transparency": black
        }
    if mode == "P":
        return image.quantize(3), {}
    if mode == "PA":
        paletted = image.convert("RGB").quantize(2).convert("PA")
        paletted.putalpha(image.getchannel("A"))
        return paletted, {}
    return image.convert("LA").convert("La") if mode == "La" else image.convert(mode), {}


@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), BLUE])
@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "P+key", "L+key", "RGB+key", "1+key"])
def test_transparency_shows_the_colour_behind(tmp_path, mode, colour):
    image, beside = half_clear(mode)
    image.save(tmp_path / "image.png", **beside)
    pixels = found(tmp_path / "image.png", background=colour)
    assert (pixels[:, :4] == colour).all()
    right = 255 if mode == "1+key" else np.mean(RED)
    assert np.abs(pixels[:, 4:].mean(axis=2) - right).max() < 10


@pytest.mark.parametrize("mode", ["PA", "La", "RGBa"])
def test_transparency_of_modes_that_only_other_programs_write(mode):
    image, _ = half_clear(mode)
    assert image.mode == mode
    pixels = np.asarray(rgb(image, Reading(BLUE)))
    assert (pixels[:, :4] == BLUE).all()
    assert np.abs(pixels[:, 4:].mean(axis=2) - np.mean(RED)).max() < 10


@pytest.mark.parametrize(("bits", "key"), [(1, 1), (2, 2), (4, 9), (8, 77)])
def test_the_transparent_grey_of_a_png_of_few_bits_is_scaled(tmp_path, bits, key):
    row = int("".join(f"{key if k < 4 else 0:0{bits}b}" for k in range(8)), 2).to_bytes(bits, "big")
    path = png(tmp_path / "a.png", bits, 0, [row] * 8, (b"tRNS", struct.pack(">H", key)))
    pixels = found(path, background=BLUE)
    assert (pixels[:, :4] == BLUE).all()
    assert (pixels[:, 4:] == 0).all()


@pytest.mark.parametrize("kind", [0, 2])
def test_the_transparent_value_of_16_bits_is_found(tmp_path, kind):
    channels, value = (3 if kind else 1), 40_000
    row = struct.pack(">H", value) * 4 * channels + struct.pack(">H", 60_000) * 4 * channels
    key = struct.pack(">H", value) * channels
    pixels = found(png(tmp_path / "a.png", 16, kind, [row] * 8, (b"tRNS", key)), background=BLUE)
    assert (pixels[:, :4] == BLUE).all()
    assert (pixels[:, 4:] == 60_000 >> 8).all()


def test_half_transparency_is_half_of_both(tmp_path):
    half = np.full((8, 8, 4), (*RED, 128), dtype=np.uint8)
    Image.fromarray(half).save(tmp_path / "a.png")
    want = (np.array(RED) * 128 + np.array(BLUE) * 127) / 255
    assert np.abs(found(tmp_path / "a.png", background=BLUE)[0, 0] - want).max() <= 1
