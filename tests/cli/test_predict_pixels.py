"""`lt predict` sees a picture as the training of its run did."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image


@pytest.fixture
def pictures(tmp_path):
    """The same picture three times: as it is, lying on its side by EXIF, and on white."""
    folder, rng = tmp_path / "pictures", np.random.default_rng(0)
    folder.mkdir()
    pixels = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    pixels[:4] = 255
    Image.fromarray(pixels).save(folder / "0.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.ascontiguousarray(np.rot90(pixels))).save(folder / "1.png", exif=exif)
    alpha = np.where(np.arange(8) < 4, 0, 255).astype(np.uint8)[:, None].repeat(8, 1)
    Image.fromarray(np.dstack([pixels // np.uint8(2), alpha])).save(folder / "2.png")
    pixels[4:] //= 2
    Image.fromarray(pixels).save(folder / "3.png")
    return folder


def rows(lt, run, folder):
    answer = lt(f"predict {run} --images {folder} --out out.csv --force --device cpu")
    assert answer.status == 0, answer.err
    with Path("out.csv").open(newline="", encoding="utf-8") as stream:
        return [row[1:] for row in list(csv.reader(stream))[1:]]


def test_a_turned_or_transparent_picture_is_what_it_shows(lt, place, pictures):
    """Trap: EXIF was passed over, and what is behind transparency was shown."""
    plain, turned, clear, white = rows(lt, place["run"], pictures)
    assert turned == plain
    assert clear == white != plain


def test_a_large_picture_is_no_attack(lt, place, pictures, monkeypatch):
    """Trap: Pillow's warning of a "decompression bomb" in the user's own satellite picture."""
    before = rows(lt, place["run"], pictures)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 8 * 8 - 1)
    assert rows(lt, place["run"], pictures) == before
    answer = lt(f"predict {place['run']} --images {pictures} --out large.csv --device cpu")
    assert (answer.status, "bomb" in answer.err) == (0, False), answer.err
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 8 * 8 // 2 - 1)
    answer = lt(f"predict {place['run']} --images {pictures} --out larger.csv --device cpu")
    assert answer.status != 0
    assert "DecompressionBombError" in answer.err


def test_a_run_from_before_reads_as_its_training_did(lt, place, pictures):
    def forget(content):
        for key in ("background", "grey_bits", "upright"):
            del content["lt_data"][key]

    now = rows(lt, place["run"], pictures)
    place.change_checkpoint(forget)
    plain, turned, clear, white = rows(lt, place["copy"], pictures)
    assert plain == now[0]
    assert turned != plain
    assert clear != white


@pytest.mark.parametrize(
    ("key", "value"),
    [("background", [0, 0]), ("background", [0, 0, 256]), ("grey_bits", 99), ("upright", 1)],
)
def test_a_damaged_reading_is_refused(lt, place, pictures, key, value):
    place.change_checkpoint(lambda content: content["lt_data"].update({key: value}))
    answer = lt(f"predict {place['copy']} --images {pictures} --out out.csv")
    assert answer.status == 1
    assert f"its lt_data.{key} is no " in answer.err


def test_what_cannot_be_told_is_named_with_its_fault(lt, place, pictures):
    Image.fromarray(np.full((8, 8), 900, dtype=np.uint16)).save(pictures / "4.png")
    answer = lt(f"predict {place['run']} --images {pictures} --out out.csv --device cpu")
    assert answer.status == 1
    assert "4.png has 16 bits of grey but none above 900" in answer.err
    assert "remove it, or add --skip_unreadable" in answer.err


@pytest.mark.slow
def test_the_checkpoint_keeps_the_reading(lt, place, tmp_path):
    options = "--data.profile AsIs --data.source.background [1,2,3] --data.source.grey_bits 12"
    quick = (
        place["quick"].replace("Digits", "ImageFolder").replace("source.size", "source.image_size")
    )
    answer = lt(f"fit {quick} --data.root {place['images']} {options} --name own")
    assert answer.status == 0, answer.err
    state = torch.load(tmp_path / "runs/own/0/checkpoints/last.ckpt", weights_only=True)["lt_data"]
    assert (state["background"], state["grey_bits"]) == ([1, 2, 3], 12)
    again = lt("test runs/own/0")
    assert again.status == 0, again.err


def test_what_is_no_image_is_counted_in_one_line(lt, place, pictures):
    for name in ("a.heic", "b.heic", "c.txt"):
        (pictures / name).write_bytes(b"no image")
    (pictures / "0.png").rename(pictures / "without_suffix")
    answer = lt(f"predict {place['run']} --images {pictures} --out out.csv --device cpu")
    assert answer.status == 0, answer.err
    told = [line for line in answer.err.splitlines() if "passed over" in line]
    assert told == [
        f"lt: 3 files or folders in {pictures} are passed over, for they are no images: 2 .heic, "
        f"1 .txt, such as {pictures / 'a.heic'}."
    ]
    assert Path("out.csv").read_text("utf-8").count("\n") == 5


def test_an_old_run_is_tested_on_the_pixels_that_it_was_trained_on(lt, tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        for split, count in (("train", 6), ("test", 2)):
            (tmp_path / "shop" / split / name).mkdir(parents=True)
            for place in range(count):
                pixels = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(tmp_path / "shop" / split / name / f"{place}.png")
    small = "--model ERM --model.backbone.depth 8 --model.backbone.width 4 --data.batch_size 4"
    data = "--data.source ImageFolder --data.source.image_size 8 --data.root shop --data.workers 0"
    quick = "--data.profile AsIs --trainer.max_epochs 1 --trainer.accelerator cpu --name old"
    answer = lt(f"fit {small} {data} {quick} --data.source.in_memory false")
    assert answer.status == 0, answer.err
    file = tmp_path / "runs" / "old" / "0" / "checkpoints" / "last.ckpt"
    content = torch.load(file, weights_only=True)
    seen = []
    monkeypatch.setattr(
        "lt_lightning.data.pixels._as_before",
        lambda opened: seen.append(1) or opened.convert("RGB"),
    )
    assert lt("test runs/old/0").status == 0
    assert not seen
    for key in ("background", "grey_bits", "upright"):
        del content["lt_data"][key]
    torch.save(content, file)
    assert lt("test runs/old/0").status == 0
    assert len(seen) >= 4
