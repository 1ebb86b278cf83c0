import numpy as np
import pytest
from PIL import Image


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("LT_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def folder(tmp_path):
    """Two classes, three images each in train/ and one in test/, all different."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 3), ("test", 1)):
        for name in ("cat", "owl"):
            (tmp_path / "own" / split / name).mkdir(parents=True)
            for k in range(count):
                pixels = rng.integers(0, 256, (8 + k, 12, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(tmp_path / "own" / split / name / f"{k}.png")
    return tmp_path / "own"
