"""What stands among the images and is none is named, or counted and passed over; nothing hangs."""

import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lt_lightning.data.added_images import ABOUT, AddedImages
from lt_lightning.data.folder import ImageFolder
from lt_lightning.errors import UserError


def png(width, height):
    """Return the file of an image that is said to be larger than it is."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"\0")
    ends = [(struct.pack(">I", len(p) - 4), struct.pack(">I", zlib.crc32(p))) for p in (head, data)]
    chunks = [a + part + b for part, (a, b) in zip((head, data), ends, strict=True)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def put(path: Path, kind: str) -> None:
    sound = path.parent / "0.png"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "nowhere":
        path.symlink_to(path.parent / "gone.png")
    elif kind == "loop":
        path.symlink_to(path)
    else:
        torn = {"empty": b"", "bomb": png(40_000, 25_000), "cut": sound.read_bytes()[:50]}
        path.write_bytes(torn[kind])


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("LT_CACHE", str(tmp_path / "cache"))
    for split in ("train", "test"):
        for name in ("a", "b"):
            folder = tmp_path / "images" / split / name
            folder.mkdir(parents=True)
            Image.fromarray(np.full((8, 8, 3), 9, dtype=np.uint8)).save(folder / "0.png")
    return tmp_path / "images"


@pytest.mark.timeout(30)
@pytest.mark.parametrize("kind", ["pipe", "device", "nowhere", "loop", "empty", "bomb", "cut"])
def test_it_is_named_or_passed_over(root, kind):
    put(root / "train" / "a" / "1.png", kind)
    with pytest.raises(UserError, match=r"a/1\.png"):
        ImageFolder(image_size=8).load(root)
    assert len(ImageFolder(image_size=8, unreadable="skip").load(root)["train"]) == 2


def test_a_folder_with_the_name_of_an_image_and_a_loop_of_folders_are_none(root):
    (root / "train" / "a" / "x.png").mkdir()
    (root / "train" / "a" / "again").symlink_to(root / "train")
    assert len(ImageFolder(image_size=8).load(root)["train"]) == 2


@pytest.mark.timeout(30)
@pytest.mark.parametrize("text", [None, "[" * 9999, '{"counts": ["x"]}'])
def test_the_file_of_added_images_is_read_with_care(tmp_path, text):
    if text is None:
        os.mkfifo(tmp_path / ABOUT)
    else:
        (tmp_path / ABOUT).write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=ABOUT):
        AddedImages(tmp_path)
