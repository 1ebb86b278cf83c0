"""Every format of file gives the pixels that its picture has."""

import numpy as np
import pytest
import torch
from PIL import Image

from lt_lightning.data import AsIs, ImageFolder, LongTailDataModule
from lt_lightning.data.decode import read_image
from lt_lightning.errors import UserError

LOSSLESS = ["png", "bmp", "tif", "tiff", "ppm", "webp"]


def pixels(tensor):
    return tensor.permute(1, 2, 0).numpy()


@pytest.mark.parametrize("suffix", LOSSLESS)
def test_lossless_file_gives_its_pixels(tmp_path, picture, suffix):
    path, want = tmp_path / f"image.{suffix}", picture(0)
    Image.fromarray(want).save(path, **({"lossless": True} if suffix == "webp" else {}))
    found = read_image(path, 8)
    assert found.dtype == torch.uint8
    assert found.shape == (3, 8, 8)
    assert np.array_equal(pixels(found), want)


def test_jpeg_gives_what_its_decoder_gives(tmp_path, picture):
    path = tmp_path / "image.JPG"
    Image.fromarray(picture(0)).save(path, "JPEG", quality=90)
    with Image.open(path) as image:
        assert np.array_equal(pixels(read_image(path, 8)), np.asarray(image))


def test_grey_becomes_three_equal_channels(tmp_path, picture):
    grey = picture(0)[:, :, 0]
    for mode, name in (("L", "grey.png"), ("LA", "alpha.png"), ("L", "grey.pgm")):
        Image.fromarray(grey).convert(mode).save(tmp_path / name)
        assert np.array_equal(pixels(read_image(tmp_path / name, 8)), grey[:, :, None].repeat(3, 2))


def test_one_bit_becomes_black_and_white(tmp_path):
    board = np.indices((8, 8)).sum(0) % 2 == 0
    Image.fromarray(board).save(tmp_path / "board.png")
    assert np.array_equal(pixels(read_image(tmp_path / "board.png", 8))[:, :, 1], board * 255)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_of_grey_are_scaled_and_not_cut(tmp_path, suffix):
    deep = (np.arange(64, dtype=np.uint16) * 1040).reshape(8, 8)
    assert deep.max() > 65000
    Image.fromarray(deep).save(tmp_path / f"deep.{suffix}")
    found = pixels(read_image(tmp_path / f"deep.{suffix}", 8))
    for channel in range(3):
        assert np.array_equal(found[:, :, channel], (deep // 256).astype(np.uint8))


@pytest.mark.parametrize("transparency", [None, 3, bytes([0, 128, 255] * 20)])
def test_palette_is_looked_up(tmp_path, picture, transparency):
    coloured = Image.fromarray(picture(0)).quantize(60)
    options = {} if transparency is None else {"transparency": transparency}
    coloured.save(tmp_path / "palette.png", **options)
    numbers = np.asarray(coloured)
    shown = np.array(coloured.getpalette()).reshape(-1, 3)[numbers]
    alpha = np.full(256, 255)
    if isinstance(transparency, bytes):
        alpha[: len(transparency)] = list(transparency)
    elif transparency is not None:
        alpha[transparency] = 0
    share = alpha[numbers][:, :, None] / 255
    found = pixels(read_image(tmp_path / "palette.png", 8))
    assert np.abs(found - (share * shown + (1 - share) * 255)).max() <= 1


def test_moving_picture_gives_its_first_frame(tmp_path):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    assert read_image(tmp_path / "moving.gif", 8)[:, 4, 4].tolist() == [255, 0, 0]


@pytest.mark.parametrize(("width", "height"), [(20, 10), (10, 20), (64, 16), (5, 9), (8, 9)])
@pytest.mark.parametrize("size", [8, 96])
def test_every_shape_becomes_a_square(tmp_path, picture, size, width, height):
    Image.fromarray(picture(0, (width, height))).save(tmp_path / "image.png")
    for crop_scale in (None, 0.08):
        with torch.random.fork_rng(devices=[]):
            assert read_image(tmp_path / "image.png", size, crop_scale).shape == (3, size, size)


def test_small_view_is_the_middle_of_the_long_side(tmp_path):
    stripes = np.zeros((8, 24, 3), dtype=np.uint8)
    stripes[:, 8:16, 0], stripes[:, 16:, 1] = 255, 255
    Image.fromarray(stripes).save(tmp_path / "wide.png")
    found = read_image(tmp_path / "wide.png", 8)
    assert found[0].eq(255).all()
    assert found[1:].eq(0).all()


def test_large_view_is_the_middle_seven_eighths(tmp_path):
    framed = np.zeros((256, 256, 3), dtype=np.uint8)
    framed[16:-16, 16:-16] = 255
    Image.fromarray(framed).save(tmp_path / "framed.png")
    assert read_image(tmp_path / "framed.png", 224).eq(255).all()
    framed[16, 16] = 0
    Image.fromarray(framed).save(tmp_path / "framed.png")
    assert int(read_image(tmp_path / "framed.png", 224).eq(0).sum()) == 3


def damage(path, kind):
    data = path.read_bytes()
    if kind == "truncated":
        path.write_bytes(data[: len(data) // 2])
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("<html>404</html>")
    elif kind == "flipped":
        path.write_bytes(data[:40] + bytes(255 - b for b in data[40:60]) + data[60:])
    else:
        path.unlink()
        path.symlink_to("nowhere.png")


def read_all(source, root):
    images = source.load(root)["train"]
    if not source.files.in_memory:
        for path in images.paths:
            images.read(path, False)


@pytest.mark.parametrize("kind", ["truncated", "empty", "text", "flipped", "unlinked"])
@pytest.mark.parametrize("in_memory", [True, False])
def test_unreadable_image_is_named_with_the_remedy(split_tree, kind, in_memory):
    root = split_tree({"a": 3, "b": 3}, {"a": 1, "b": 1}, size=(32, 32))
    bad = root / "train/b/001.png"
    damage(bad, kind)
    with pytest.raises(UserError) as caught:
        read_all(ImageFolder(image_size=8, in_memory=in_memory), root)
    assert str(bad) in str(caught.value)
    assert "--data.source.unreadable skip" in str(caught.value)


@pytest.mark.parametrize("kind", ["truncated", "empty", "text", "flipped", "unlinked"])
def test_skip_leaves_unreadable_images_out_and_counts_them(split_tree, kind, caplog):
    root = split_tree({"a": 3, "b": 3}, {"a": 2, "b": 1}, size=(32, 32))
    for name in ("train/b/001.png", "test/a/000.png"):
        damage(root / name, kind)
    for _ in range(2):  # the second time from the list that was kept
        caplog.clear()
        source = ImageFolder(image_size=8, unreadable="skip")
        assert source.train_counts(root).tolist() == [3, 2]
        assert {split: len(images) for split, images in source.load(root).items()} == {
            "train": 5,
            "test": 2,
        }
        assert "2 of 9 images cannot be read and are skipped, such as" in caplog.text
        assert "test/a/000.png" in caplog.text


def test_skip_says_nothing_where_all_can_be_read(split_tree, caplog):
    root = split_tree({"a": 1, "b": 1}, {"a": 1, "b": 1})
    assert ImageFolder(unreadable="skip").train_counts(root).tolist() == [1, 1]
    assert not caplog.records


def test_class_without_readable_images_is_named(split_tree):
    root = split_tree({"a": 2, "b": 1}, {"a": 1})
    damage(root / "train/b/000.png", "empty")
    data = LongTailDataModule(ImageFolder(unreadable="skip"), root=str(root), profile=AsIs())
    with pytest.raises(UserError, match=r"No image of the class .b. in .*000\.png cannot be read"):
        _ = data.class_counts
