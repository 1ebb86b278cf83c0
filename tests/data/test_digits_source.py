import hashlib

import pytest
import torch
from sklearn.datasets import load_digits

from lt_lightning.data import AsIs, Digits, LongTailDataModule
from lt_lightning.errors import UserError


@pytest.fixture(scope="module")
def splits(tmp_path_factory):
    return Digits().load(tmp_path_factory.mktemp("nothing"))


def test_split_is_every_third_image_of_each_class_in_file_order(splits):
    labels, seen = load_digits().target.tolist(), [0] * 10
    train, test = [], []
    for label in labels:
        (test if seen[label] % 3 == 2 else train).append(label)
        seen[label] += 1
    assert splits["train"].labels.tolist() == train
    assert splits["test"].labels.tolist() == test
    assert (len(train), len(test)) == (1201, 596)


def test_images_are_32_pixels_in_three_equal_channels(splits):
    for images in splits.values():
        pixels = images.images
        assert pixels.dtype == torch.uint8
        assert pixels.shape == (len(images), 3, 32, 32)
        assert torch.equal(pixels[:, 0], pixels[:, 1])
        assert torch.equal(pixels[:, 0], pixels[:, 2])
        assert int(pixels.min()) == 0
        assert int(pixels.max()) == 255


def test_enlargement_is_bilinear_from_half_pixel_centres(splits):
    small = load_digits().images[0] * 255 / 16  # the first image is a training image
    for y, x in ((0, 0), (13, 9), (16, 16), (31, 31), (30, 2)):
        v, u = (y + 0.5) / 4 - 0.5, (x + 0.5) / 4 - 0.5
        v, u = min(max(v, 0), 7), min(max(u, 0), 7)
        v0, u0 = int(v), int(u)
        v1, u1, dv, du = min(v0 + 1, 7), min(u0 + 1, 7), v - v0, u - u0
        value = (1 - dv) * ((1 - du) * small[v0, u0] + du * small[v0, u1]) + dv * (
            (1 - du) * small[v1, u0] + du * small[v1, u1]
        )
        assert abs(int(splits["train"].images[0, 0, y, x]) - value) <= 0.501


def test_size_of_8_shows_the_scans_themselves(tmp_path):
    pixels = Digits(8).load(tmp_path)["train"].images
    scan = torch.from_numpy(load_digits().images[0]) * 255 / 16
    assert torch.equal(pixels[0, 0], scan.round().to(torch.uint8))


def test_split_is_stratified_and_the_same_every_time(splits, tmp_path):
    train, test = (torch.bincount(splits[name].labels) for name in ("train", "test"))
    assert bool(((train / 2 - test).abs() <= 1).all())
    assert torch.equal(Digits().train_counts(tmp_path), train)
    again = Digits().load(tmp_path)
    for name, images in splits.items():
        assert torch.equal(again[name].images, images.images)


def test_pixels_do_not_change_between_releases(splits):
    # Means, not a hash: a last-bit difference of an interpolation is no other data set.
    assert splits["train"].images.float().mean().item() == pytest.approx(77.8, abs=0.2)
    scans = hashlib.sha256(load_digits().images.tobytes()).hexdigest()
    assert scans.startswith("20def7f70a70"), "scikit-learn ships other digits"


def test_no_class_of_digits_is_without_a_name(tmp_path):
    assert Digits().class_names(tmp_path) == list("0123456789")


@pytest.mark.parametrize("size", [7, 0, -32])
def test_size_below_the_scans_is_refused(size):
    with pytest.raises(UserError, match=f"digits is {size}"):
        Digits(size)


def test_data_module_of_digits_needs_no_folder():
    data = LongTailDataModule(Digits(), root="/nowhere", profile=AsIs())
    data.prepare_data()
    data.setup("fit")
    assert int(data.class_counts.sum()) == 1201
