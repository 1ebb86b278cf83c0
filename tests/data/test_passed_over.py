"""What lies among the images is used, or counted aloud in one line."""

import logging
import os
import re
from pathlib import Path

import pytest
import torch
from PIL import Image

from lt_lightning.data import ImageFolder
from lt_lightning.data.decode import read_image
from lt_lightning.data.files import NOT_READ, SUFFIXES, PassedOver, images_below
from lt_lightning.data.pixels import formats
from lt_lightning.errors import UserError


def listed(folder):
    passed = PassedOver()
    return [path.name for path in images_below(folder, passed)], dict(passed.kinds)


def test_every_suffix_that_pillow_opens_is_read_or_named_as_not_read():
    """Walks what this Pillow has, so that a format that is new to it is decided on."""
    Image.init()
    opened = {
        suffix: name for suffix, name in Image.registered_extensions().items() if name in Image.OPEN
    }
    assert {suffix for suffix, name in opened.items() if name in formats()} <= SUFFIXES
    assert {suffix for suffix, name in opened.items() if name not in formats()} <= NOT_READ
    assert not SUFFIXES & NOT_READ
    assert {".jfif", ".jpe", ".jp2", ".avif", ".pnm", ".ppm", ".mpo"} <= SUFFIXES


def test_the_manual_lists_the_suffixes_that_are_read():
    text = (Path(__file__).parents[2] / "docs/own_pictures.md").read_text(encoding="utf-8")
    (line,) = [line for line in text.splitlines() if line.startswith("- Taken are files that end")]
    assert set(re.findall(r"`(\.\w+)`", line.partition(";")[0])) == SUFFIXES
    assert set(re.findall(r"`(\.\w+)`", line.partition(";")[2])) <= NOT_READ | {".heic", ".txt"}


@pytest.mark.parametrize("suffix", ["mpo", "MPO"])
def test_pictures_of_two_views_give_the_first(tmp_path, picture, suffix):
    first, second = (Image.fromarray(picture(k)) for k in (0, 1))
    first.save(tmp_path / f"a.{suffix}", "MPO", save_all=True, append_images=[second])
    first.save(tmp_path / "a.jpg")
    assert listed(tmp_path) == (sorted([f"a.{suffix}", "a.jpg"]), {})
    one, other = (read_image(tmp_path / name, 8) for name in (f"a.{suffix}", "a.jpg"))
    assert torch.equal(one, other)


def test_what_pillow_opens_and_is_not_read_is_counted(tmp_path):
    for suffix in NOT_READ:
        (tmp_path / f"a{suffix}").write_bytes(b"x")
    names, kinds = listed(tmp_path)
    assert not names
    assert kinds == dict.fromkeys(NOT_READ, 1)


def test_files_without_a_suffix_are_taken_where_they_are_images(tmp_path, picture):
    for name, kind in (("n01440764_10026", "JPEG"), ("photo", "PNG"), ("scan", "TIFF")):
        Image.fromarray(picture(0)).save(tmp_path / name, kind)
    (tmp_path / "README").write_text("no image")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "header").write_bytes(bytes(range(256)))
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/zero")
    (tmp_path / "lost").symlink_to(tmp_path / "nowhere")
    names, kinds = listed(tmp_path)
    assert names == ["n01440764_10026", "photo", "scan"]
    assert kinds == {"without a suffix": 6}


def test_links_to_folders_are_counted_and_hidden_names_are_not(tree, tmp_path):
    root = tree(["a/0.png", "a/.hidden/1.png", "a/._0.png"])
    (root / "a" / "again").symlink_to(root)
    (root / "a" / ".again").symlink_to(root)
    assert listed(root) == (["0.png"], {"linked folders": 1})


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_a_folder_that_cannot_be_listed_is_named(tree):
    root = tree(["a/0.png", "a/b/1.png"])
    (root / "a/b").chmod(0)
    with pytest.raises(UserError, match=r"a/b cannot be listed \(Permission denied\)"):
        listed(root)


def test_all_is_said_in_one_line_by_number_and_example(split_tree, caplog):
    root = split_tree({"a": 2, "b": 2}, {"a": 1, "b": 1})
    for name in ("train/a/x.heic", "train/a/y.HEIC", "test/b/notes.txt", "train/b/.hidden.txt"):
        (root / name).write_bytes(b"no image")
    for name in ("train/loose.png", "top.png", "extra/c/0.png"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(root / name)
    source = ImageFolder(image_size=8)
    source.class_names(root), source.train_counts(root), source.has_validation(root)
    source.prepare(root), source.load(root)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    told = record.getMessage()
    assert told.startswith(f"6 files or folders in {root} are passed over")
    assert "2 .heic, 2 images in no class folder, 1 .txt, 1 in extra/, which is no split" in told
    assert f"such as {root / 'extra/c/0.png'}." in told


def test_many_kinds_are_summed_up(tmp_path):
    for number in range(9):
        (tmp_path / f"a.x{number}").touch()
    passed = PassedOver()
    images_below(tmp_path, passed)
    assert passed.told().endswith("1 .x5, 3 of other kinds")


def test_nothing_is_said_where_all_is_used(split_tree, caplog):
    root = split_tree({"a": 2, "b": 2}, {"a": 1, "b": 1})
    ImageFolder(image_size=8).load(root)
    assert not caplog.records


def test_a_test_class_that_skipping_empties_is_named(split_tree, caplog):
    root = split_tree({"a": 2, "b": 2}, {"a": 1, "b": 1})
    (root / "test/b/000.png").write_bytes(b"torn")
    ImageFolder(image_size=8, unreadable="skip").load(root)
    assert "No image of the class 'b' in the test split can be read." in caplog.messages


def test_skipping_comes_before_the_split(tree):
    """Trap: the only sound image of a class becomes a test image, and training has none."""
    root = tree([f"{c}/{k}.png" for c in "ab" for k in range(4)])
    for k in (0, 1, 2):
        (root / f"b/{k}.png").write_bytes(b"torn")
    for seed in range(4):
        source = ImageFolder(8, test_fraction=0.5, split_seed=seed, unreadable="skip")
        assert source.train_counts(root).tolist() == [2, 1]
