"""What lies among the images is used, or counted aloud in one line."""

import logging
import os

import pytest
from PIL import Image

from lt_lightning.data import ImageFolder
from lt_lightning.data.files import SUFFIXES, PassedOver, images_below
from lt_lightning.data.pixels import formats
from lt_lightning.errors import UserError


def listed(folder):
    passed = PassedOver()
    return [path.name for path in images_below(folder, passed)], dict(passed.kinds)


def test_every_suffix_is_one_that_pillow_reads_by_itself():
    Image.init()
    known = {suffix for suffix, name in Image.registered_extensions().items() if name in formats()}
    assert set(known) - {".im"} <= SUFFIXES | {".mpo", ".ftc"}
    assert {".jfif", ".jpe", ".jp2", ".avif", ".pnm", ".ppm"} <= SUFFIXES
    assert not {".eps", ".ps", ".pdf", ".wmf", ".mpg", ".h5"} & SUFFIXES


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
