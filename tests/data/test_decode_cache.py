"""Decoded images are kept, and the kept ones are never stale, half or another folder's."""

import os
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, UnidentifiedImageError

from lt_lightning.data import ImageFolder, decode
from lt_lightning.data.decode import cache_folder, decode_all
from lt_lightning.data.reading import Reading

NAMES = [f"{s}/{c}/{k}.png" for s in ("train", "test") for c in "ab" for k in range(2)]
TRAIN = NAMES[:4]


def train_pixels(root):
    return ImageFolder(image_size=8).load(root)["train"].images.permute(0, 2, 3, 1).numpy()


def kept(suffix):
    return sorted(cache_folder().glob(f"*{suffix}"))


@pytest.fixture
def reads(monkeypatch):
    """The files that were decoded, in the order in which that was begun."""
    seen, original = [], decode.read_image

    def counted(path, size, *args, **reading):
        seen.append(path.name if path.parent.parent.name != "train" else str(path))
        return original(path, size, *args, **reading)

    monkeypatch.setattr(decode, "read_image", counted)
    return seen


def test_second_load_reads_no_image_and_gives_the_same(tree, picture, reads):
    root = tree(NAMES)
    first = train_pixels(root)
    assert np.array_equal(first, [picture(seed) for seed in range(4)])
    assert len(reads) == 8
    assert len(kept(".npz")) == 2
    assert np.array_equal(train_pixels(root), first)
    assert len(reads) == 8


def test_prepare_leaves_nothing_to_decode(tree, reads):
    root = tree(NAMES)
    ImageFolder(image_size=8).prepare(root)
    assert len(reads) == 8
    train_pixels(root)
    assert len(reads) == 8


def test_prepare_of_images_in_files_reads_none(tree, reads):
    ImageFolder(in_memory=False).prepare(tree(NAMES))
    assert not reads


def test_other_size_is_another_cache(tree):
    root = tree(NAMES)
    train_pixels(root)
    assert ImageFolder(image_size=16).load(root)["train"].images.shape[-1] == 16
    assert len(kept(".npz")) == 4


def test_changed_file_is_decoded_again(tree, picture):
    root = tree(NAMES)
    train_pixels(root)
    Image.fromarray(picture(77)).save(root / TRAIN[2])
    assert np.array_equal(train_pixels(root)[2], picture(77))


def test_changed_file_of_the_old_size_and_date_is_decoded_again(tree, picture):
    root = tree(NAMES)
    path, stats = root / TRAIN[2], []
    for seed in (2, 77):
        Image.fromarray(picture(seed)).save(path, "BMP")  # told by its content, not its name
        os.utime(path, (0, 0))
        stats.append((path.stat().st_size, path.stat().st_mtime_ns))
        assert np.array_equal(train_pixels(root)[2], picture(seed))
    assert stats[0] == stats[1]


def test_added_and_removed_files_are_seen(tree, picture):
    root = tree(NAMES)
    train_pixels(root)
    shutil.copy(root / TRAIN[0], root / "train/b/9.png")
    assert np.array_equal(train_pixels(root)[4], picture(0))
    (root / TRAIN[0]).unlink()
    assert np.array_equal(train_pixels(root)[0], picture(1))


def test_two_folders_of_equal_names_sizes_and_dates_do_not_mix(tmp_path, picture):
    found = []
    for number, root in enumerate((tmp_path / "first", tmp_path / "second")):
        for seed, name in enumerate(NAMES):
            path = (root / name).with_suffix(".bmp")
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture(seed + 100 * number)).save(path)
            os.utime(path, (0, 0))
        found.append(train_pixels(root))
    assert not np.array_equal(*found)


@pytest.mark.parametrize("damage", ["empty", "half", "text", "other", "unnamed", "array", "bit"])
def test_damaged_cache_file_is_made_again(tree, damage, caplog):
    root = tree(NAMES)
    want = train_pixels(root)
    for path in kept(".npz"):
        data = path.read_bytes()
        if damage == "other":
            np.savez(path, images=np.zeros((4, 3, 7, 7), dtype=np.uint8))
        elif damage == "unnamed":
            np.savez(path, np.zeros((4, 3, 8, 8), dtype=np.uint8))
        elif damage == "array":
            with path.open("wb") as file:
                np.save(file, np.zeros((4, 3, 8, 8), dtype=np.uint8))
        elif damage == "bit":  # in the pixels
            middle = len(data) // 2
            path.write_bytes(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])
        else:
            path.write_bytes(
                {"empty": b"", "half": data[: len(data) // 2], "text": b"hello"}[damage]
            )
    assert np.array_equal(train_pixels(root), want)
    assert "is made again" in caplog.text
    caplog.clear()
    assert np.array_equal(train_pixels(root), want)
    assert not caplog.records


@pytest.mark.parametrize(
    "text", ["", "[0, 1", "[3]", "[[99], []]", '[["a"], []]', "{}", "[[true], []]", "[[], 3]", "3"]
)
def test_damaged_list_of_unreadable_images_is_made_again(tree, text):
    root = tree(NAMES)
    (root / TRAIN[3]).write_bytes(b"")
    source = {"image_size": 8, "unreadable": "skip"}
    assert ImageFolder(**source).train_counts(root).tolist() == [2, 1]
    for path in kept(".json"):
        path.write_text(text)
    assert ImageFolder(**source).train_counts(root).tolist() == [2, 1]


@pytest.fixture
def refused(tree, monkeypatch):
    """Return a function that lets Pillow raise at one picture, or at none; and the pictures."""
    root, opened = tree(NAMES), Image.open

    def refuse(fault):
        def opens(path, *args, **more):
            if fault is not None and Path(path) == root / TRAIN[3]:
                raise fault
            return opened(path, *args, **more)

        monkeypatch.setattr(Image, "open", opens)
        return ImageFolder(image_size=8, unreadable="skip").train_counts(root).tolist()

    return refuse


@pytest.mark.parametrize("fault", [OSError(5, "Input/output error"), MemoryError()])
def test_a_fault_of_the_machine_is_not_kept(refused, fault):
    """Trap: after one bad moment of a network disk the pictures were left out for ever."""
    assert refused(fault) == [2, 1]
    assert refused(fault) == [2, 1]
    assert refused(None) == [2, 2]
    assert refused(UnidentifiedImageError("no image")) == [2, 1]  # of one that is looked at again


@pytest.mark.parametrize("fault", [None, OSError(5, "Input/output error")])
def test_pictures_that_were_read_are_not_read_again(refused, monkeypatch, fault):
    """Trap: with one picture that may be read by others alone, all were read by every command."""
    refused(fault)
    seen, original = [], decode.read_image
    monkeypatch.setattr(
        decode, "read_image", lambda p, *a, **k: seen.append(p) or original(p, *a, **k)
    )
    refused(fault)
    assert len([path for path in seen if path.parent.parent.name == "train"]) <= (fault is not None)


def test_a_fault_of_the_file_is_kept_until_another_pillow_looks(refused, monkeypatch):
    assert refused(UnidentifiedImageError("no image")) == [2, 1]
    assert refused(None) == [2, 1]
    monkeypatch.setattr("PIL.__version__", "99")
    assert refused(None) == [2, 2]


def test_cache_folder_that_cannot_be_written_is_a_warning(tree, tmp_path, monkeypatch, caplog):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LT_CACHE", str(tmp_path / "file"))
    assert len(train_pixels(tree(NAMES))) == 4
    assert "is not kept in" in caplog.text


def test_full_disk_leaves_no_half_file(tree, monkeypatch, caplog):
    def full(file, **arrays):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    assert len(train_pixels(tree(NAMES))) == 4
    assert "No space left" in caplog.text
    assert list(cache_folder().iterdir()) == []


def test_nothing_but_finished_files_is_left_behind(tree):
    train_pixels(tree(NAMES))
    assert {path.suffix for path in cache_folder().iterdir()} == {".npz"}


def test_cache_is_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("LT_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own/lt_lightning"
    monkeypatch.delenv("LT_CACHE")
    assert cache_folder() == tmp_path / "xdg/lt_lightning"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache/lt_lightning"


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes are a matter of Linux")
def test_names_that_are_no_utf8_are_read(tree):
    root = tree(NAMES)
    os.rename(os.fsencode(root / TRAIN[0]), os.fsencode(root / "train/a/") + b"/0\xe4.png")
    assert len(train_pixels(root)) == 4
    assert ImageFolder(unreadable="skip").train_counts(root).tolist() == [2, 2]


def _load_at_once(rank, root, meeting):
    (meeting / str(rank)).touch()
    while len(list(meeting.iterdir())) < 2:
        time.sleep(0.001)
    np.save(root.parent / f"sum{rank}.npy", train_pixels(root).sum(dtype=np.int64))


@pytest.mark.distributed
def test_two_processes_at_once_read_the_same(tree, tmp_path):
    root, meeting = tree(NAMES), tmp_path / "meeting"
    meeting.mkdir()
    torch.multiprocessing.spawn(_load_at_once, args=(root, meeting), nprocs=2)
    want = train_pixels(root).sum(dtype=np.int64)
    assert [np.load(tmp_path / f"sum{rank}.npy") for rank in (0, 1)] == [want, want]
    assert {path.suffix for path in cache_folder().iterdir()} == {".npz"}


def test_order_of_the_images_is_that_of_the_paths(tree, picture):
    root = tree(NAMES)
    paths = [root / TRAIN[k] for k in (3, 0, 2)]
    images = decode_all(paths, 8, root, Reading())
    assert torch.equal(images[1], torch.from_numpy(picture(0)).permute(2, 0, 1))
    assert torch.equal(images[0], torch.from_numpy(picture(3)).permute(2, 0, 1))
