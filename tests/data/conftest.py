import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

Maker = Callable[..., Path]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    """No test reads or writes the cache of the user."""
    monkeypatch.setenv("LT_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.delenv("PL_GLOBAL_SEED", raising=False)


def _global_state():
    numpy = np.random.get_state()  # noqa: NPY002  the state that must stay as it is
    return torch.get_rng_state().tolist(), numpy[1].tolist(), numpy[2:], random.getstate()


@pytest.fixture(autouse=True)
def _global_random_state_is_left_alone(request):
    """A contract of everything in lt_lightning.data, so it is checked around every test."""
    before = _global_state()
    yield
    # Lightning's trainer, which only the tests of two processes use, draws from it.
    assert _global_state() == before or request.node.get_closest_marker("distributed")


def _picture(seed: int, size: tuple[int, int] = (8, 8)) -> np.ndarray:
    width, height = size
    rng = np.random.default_rng(seed)
    return rng.integers(256, size=(height, width, 3), dtype=np.uint8)


@pytest.fixture
def picture() -> Callable[..., np.ndarray]:
    """Pixels (H, W, 3) that differ from seed to seed."""
    return _picture


@pytest.fixture
def tree(tmp_path) -> Maker:
    """Makes a folder of PNG files: names relative to the folder, each with its own pixels."""

    def make(names: list[str], root: str = "images", size: tuple[int, int] = (8, 8)) -> Path:
        folder = tmp_path / root
        for seed, name in enumerate(names):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(_picture(seed, size)).save(path, "PNG")
        return folder

    return make


@pytest.fixture
def split_tree(tree) -> Callable[..., Path]:
    """Makes train/<class>/* and test/<class>/* with the given number of images per class."""

    def make(train: dict[str, int], test: dict[str, int], **kwargs) -> Path:
        parts = {"train": train, "test": test}
        return tree(
            [
                f"{split}/{name}/{k:03}.png"
                for split, counts in parts.items()
                for name, count in counts.items()
                for k in range(count)
            ],
            **kwargs,
        )

    return make
