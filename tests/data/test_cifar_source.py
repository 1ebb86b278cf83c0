"""CIFAR from tiny files in the original format: Python 2 pickles in a gzipped tar."""

import hashlib
import io
import pickle
import tarfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision.datasets

from lt_lightning.data import CIFAR10, CIFAR100, AsIs, LongTailDataModule
from lt_lightning.errors import UserError

PER_CLASS = 2
SOURCES = {CIFAR10: torchvision.datasets.CIFAR10, CIFAR100: torchvision.datasets.CIFAR100}
# What every test needs of the files: label key, name key of the meta file.
KEYS = {CIFAR10: ("labels", "label_names"), CIFAR100: ("fine_labels", "fine_label_names")}


class Python2Pickler(pickle.Pickler):
    """Writes a dtype as NumPy under Python 2 did: with 0 and 1 where there are booleans now."""

    def reducer_override(self, value):
        if isinstance(value, np.dtype):
            return np.dtype, ("u1", 0, 1), (3, "|", None, None, None, -1, -1, 0)
        return NotImplemented


def pickled(entry):
    stream = io.BytesIO()
    Python2Pickler(stream, protocol=2).dump(entry)
    return stream.getvalue().replace(b"cnumpy._core.", b"cnumpy.core.")


def batch(kind, labels, seed):
    pixels = np.random.default_rng(seed).integers(256, size=(len(labels), 3072), dtype=np.uint8)
    entry = {"data": pixels, KEYS[kind][0]: labels, "batch_label": f"batch {seed}"}
    if kind is CIFAR100:
        entry["coarse_labels"] = [0] * len(labels)
    return entry


@cache
def made(kind):
    """Return the batches, the files of the archive and the archive itself."""
    their, rng = SOURCES[kind], np.random.default_rng(0)
    labels = rng.permutation(np.repeat(np.arange(kind.classes), PER_CLASS)).tolist()
    files = [name for name, _ in their.train_list]
    parts = [part.tolist() for part in np.array_split(labels, len(files))]
    named = zip(files, parts, strict=True)
    batches = {name: batch(kind, part, k) for k, (name, part) in enumerate(named)}
    batches[their.test_list[0][0]] = batch(kind, list(range(kind.classes)), 99)
    contents = {name: pickled(entry) for name, entry in batches.items()}
    contents[their.meta["filename"]] = pickled({KEYS[kind][1]: kind().class_names(Path())})
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=1) as tar:
        for name, data in contents.items():
            info = tarfile.TarInfo(f"{their.base_folder}/{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return batches, contents, stream.getvalue()


@pytest.fixture(params=list(SOURCES), ids=lambda kind: kind.__name__)
def archive(request, monkeypatch, tmp_path):
    """A tiny archive whose checksums torchvision is told; returns source, folder and batches.

    Only torchvision's table of checksums is changed, and only for the test, so the package checks
    these files in the way in which it checks the real ones.
    """
    kind = request.param
    their, (batches, contents, packed) = SOURCES[kind], made(kind)
    md5 = {name: hashlib.md5(data).hexdigest() for name, data in contents.items()}
    for table in ("train_list", "test_list"):
        names = [name for name, _ in getattr(their, table)]
        monkeypatch.setattr(their, table, [[name, md5[name]] for name in names])
    monkeypatch.setattr(their, "meta", {**their.meta, "md5": md5[their.meta["filename"]]})
    monkeypatch.setattr(their, "tgz_md5", hashlib.md5(packed).hexdigest())
    monkeypatch.setattr(kind, "per_class", PER_CLASS)
    (tmp_path / kind.archive).write_bytes(packed)
    return kind, tmp_path, batches


@pytest.fixture
def no_network(monkeypatch):
    """Downloads fail as they do without a network."""
    from torchvision.datasets import utils

    def refuse(*args, **kwargs):
        raise OSError("[Errno -2] Name or service not known")

    monkeypatch.setattr(utils, "_get_redirect_url", lambda url, max_hops: url)
    monkeypatch.setattr(utils, "_urlretrieve", refuse)


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("download", [True, False])
def test_archive_that_lies_there_is_unpacked_without_a_download(archive, download):
    kind, root, _ = archive
    kind(download=download).prepare(root)
    assert len(kind().load(root)["train"]) == kind.classes * PER_CLASS


def test_pixels_and_labels_are_those_of_the_files_in_their_order(archive):
    kind, root, batches = archive
    kind().prepare(root)
    splits = kind().load(root)
    key, (*train, test) = KEYS[kind][0], batches.values()
    for images, entries in ((splits["train"], train), (splits["test"], [test])):
        labels = [label for entry in entries for label in entry[key]]
        assert images.labels.tolist() == labels
        assert images.labels.dtype == torch.int64
        assert images.images.dtype == torch.uint8
        assert images.images.shape == (len(labels), 3, 32, 32)
        rows = np.concatenate([entry["data"] for entry in entries])
        # A row holds 1024 red, then 1024 green, then 1024 blue values, row by row.
        for k, (channel, y, x) in enumerate([(0, 0, 0), (1, 0, 31), (2, 31, 0), (1, 5, 7)]):
            value = rows[k, channel * 1024 + y * 32 + x]
            assert int(images.images[k, channel, y, x]) == value
        assert np.array_equal(images.images.numpy().reshape(len(labels), -1), rows)


def test_counts_and_names_are_known_without_the_files(tmp_path):
    for kind, classes, per_class in ((CIFAR10, 10, 5000), (CIFAR100, 100, 500)):
        names = kind(download=False).class_names(tmp_path)
        assert len(set(names)) == classes
        assert names == sorted(names), "both data sets are labelled in alphabetical order"
        assert kind(download=False).train_counts(tmp_path).tolist() == [per_class] * classes
    assert CIFAR100().class_names(tmp_path)[34:37] == ["fox", "girl", "hamster"]
    assert CIFAR10().class_names(tmp_path)[3] == "cat"


def test_names_are_those_of_the_meta_file(archive):
    kind, root, _ = archive
    kind().prepare(root)
    assert SOURCES[kind](str(root)).classes == kind().class_names(root)


def test_data_module_trains_on_the_images_of_the_files(archive):
    kind, root, _ = archive
    data = LongTailDataModule(kind(), root=str(root), profile=AsIs(), augment=None)
    assert data.class_counts.tolist() == [PER_CLASS] * kind.classes
    data.prepare_data()
    data.setup("fit")
    assert len(data.eval_loader("train")) == 1


@pytest.mark.usefixtures("no_network")
def test_absent_files_name_the_archive_and_the_data_that_need_none(archive):
    kind, root, _ = archive
    empty = root / "empty"
    with pytest.raises(UserError, match=r"put cifar-.*-python.tar.gz into .*digits.yaml") as caught:
        kind().prepare(empty)
    assert "Name or service not known" in str(caught.value)
    with pytest.raises(UserError, match=r"put cifar-.*-python.tar.gz into"):
        kind(download=False).prepare(empty)
    with pytest.raises(UserError, match=r"absent or damaged: delete the folder and put cifar-"):
        kind().load(empty)


@pytest.mark.usefixtures("no_network")
def test_damaged_archive_is_not_unpacked(archive):
    kind, root, _ = archive
    path = root / kind.archive
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    for download in (True, False):
        with pytest.raises(UserError, match="could not be fetched"):
            kind(download=download).prepare(root)
    assert sorted(p.name for p in root.iterdir()) == [kind.archive]


def test_damaged_file_is_not_read(archive):
    kind, root, _ = archive
    kind().prepare(root)
    name = SOURCES[kind].test_list[0][0]
    path = root / SOURCES[kind].base_folder / name
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(UserError, match="absent or damaged"):
        kind().load(root)
