"""A stream of pictures: in order, a few ahead, and flat in memory."""

import threading
import time
import tracemalloc

import pytest
import torch

from lt_lightning.data.files import PassedOver, each_image_below, images_below
from lt_lightning.predictions import job as job_module
from lt_lightning.predictions.job import Job
from lt_lightning.predictions.pictures import pictures
from lt_lightning.predictions.read_ahead import read_ahead
from lt_lightning.predictions.table import Layout


class Ten:
    """A run of ten classes to which every picture is the same."""

    image_size, reading, class_names = 2, None, list(map(str, range(10)))

    def classify(self, images, batch_size):
        from lt_lightning.engine.predictor import Classified

        chances = torch.full((10,), 0.1, dtype=torch.float64)
        for name, _ in images:
            yield Classified(name, 0, chances)


class Count:
    def add(self, chances, label):
        pass


def test_items_keep_their_order_and_few_are_read_ahead():
    taken, most, lock = 0, 0, threading.Lock()
    given = 0

    def items():
        nonlocal taken
        for number in range(200):
            taken += 1
            yield number

    def read(number):
        time.sleep(0.0005 * (number % 3))
        return number * number

    for number, square in read_ahead(items(), read, threads=3, ahead=7):
        with lock:
            assert (number, square) == (given, given * given)
            most = max(most, taken - given)
            given += 1
    assert given == 200
    assert most <= 8


def test_what_a_reader_raises_is_raised_and_nothing_more_is_read():
    read = []

    def fail(number):
        read.append(number)
        if number == 3:
            raise ValueError("torn")
        return number

    with pytest.raises(ValueError, match="torn"):
        list(read_ahead(iter(range(1000)), fail, threads=2, ahead=4))
    assert len(read) < 20


def _peak(count, folder, monkeypatch):
    """Return the most bytes of Python's at once while `count` lines are classified."""
    monkeypatch.setattr(job_module, "read_image", lambda *_, **__: torch.zeros(3, 2, 2))
    monkeypatch.setattr(job_module, "track", lambda pairs, *_, **__: pairs)
    file = folder / f"{count}.txt"
    with file.open("w") as stream:
        stream.writelines(f"folder/of/pictures/number_{k:09}.jpg {k % 10}\n" for k in range(count))
    work = Job(Ten(), Count(), batch_size=64, threads=2)
    tracemalloc.start()
    try:
        work.write(pictures(file).stream, folder / f"{count}.csv", Layout(Ten.class_names))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_number_of_pictures(tmp_path, monkeypatch):
    _peak(100, tmp_path, monkeypatch)
    few, many = (_peak(count, tmp_path, monkeypatch) for count in (300, 3000))
    assert many < few + 100_000  # a list of the names alone would have 250,000 more
    assert len((tmp_path / "3000.csv").read_text().splitlines()) == 3001


def test_a_folder_is_walked_in_the_order_of_its_sorted_paths(tmp_path):
    for name in ("b/2.png", "b-c/1.png", "b.png", "a/z/1.JPG", "a/.x/1.png", "a/1.txt", "B/3.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "lost.png").symlink_to("nowhere")
    (tmp_path / "again").symlink_to(tmp_path / "b")
    found = list(each_image_below(tmp_path, PassedOver()))
    assert found == images_below(tmp_path, PassedOver()) == sorted(found)
    told = [str(file.relative_to(tmp_path)) for file in found]
    assert told == ["B/3.png", "a/z/1.JPG", "b/2.png", "b-c/1.png", "b.png", "lost.png"]
