"""Both CIFAR data sets in a few random images, as fixtures that a conftest imports."""

import hashlib
import pickle

import numpy as np
import pytest

PER_CLASS = {10: 100, 100: 10}  # training images by number of classes; a ratio of 100 leaves one
TEST_PER_CLASS = 2


@pytest.fixture(scope="session")
def cifar_root(tmp_path_factory):
    """Return a folder with both CIFAR data sets in their own format, in a few random images."""
    root = tmp_path_factory.mktemp("cifar")
    batches = {f"data_batch_{k}": PER_CLASS[10] // 5 for k in range(1, 6)}
    _write(root / "cifar-10-batches-py", batches, 10, "labels")
    _write(root / "cifar-100-python", {"train": PER_CLASS[100]}, 100, "fine_labels")
    return root


def _write(folder, train, classes, key):
    folder.mkdir()
    test = {"test_batch" if classes == 10 else "test": TEST_PER_CLASS}
    generator = np.random.default_rng(0)
    for name, per_class in {**train, **test}.items():
        labels = [c for c in range(classes) for _ in range(per_class)]
        data = generator.integers(0, 256, (len(labels), 3072), dtype=np.uint8)
        (folder / name).write_bytes(pickle.dumps({"data": data, key: labels}))
    names = [str(c) for c in range(classes)]
    meta = ("batches.meta", "label_names") if classes == 10 else ("meta", "fine_label_names")
    (folder / meta[0]).write_bytes(pickle.dumps({meta[1]: names}))


@pytest.fixture
def small_cifar(cifar_root, monkeypatch):
    """Return the folder for `data.root`, where torchvision finds these files as it expects them."""
    import torchvision.datasets as official

    from lt_lightning.data import CIFAR10, CIFAR100

    for kind, source in ((official.CIFAR10, CIFAR10), (official.CIFAR100, CIFAR100)):
        folder = cifar_root / kind.base_folder
        for listed in ("train_list", "test_list"):
            files = [[name, _digest(folder / name)] for name, _ in getattr(kind, listed)]
            monkeypatch.setattr(kind, listed, files)
        meta = {**kind.meta, "md5": _digest(folder / kind.meta["filename"])}
        monkeypatch.setattr(kind, "meta", meta)
        monkeypatch.setattr(source, "per_class", PER_CLASS[source.classes])
    return cifar_root


def _digest(path):
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
