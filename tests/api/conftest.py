"""One small run, which `lt_lightning.fit` made, for all tests of the library calls."""

from pathlib import Path

import numpy as np
import pytest
from lt_runs import in_process, put_back
from PIL import Image
from small_options import OPTIONS

import lt_lightning as lt


@pytest.fixture
def at_home(tmp_path, monkeypatch):
    """Stand in an empty folder; what a call changes is put back."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lt_lightning.callbacks.RunRecord._draw", lambda *_: None)
    with put_back():
        yield tmp_path


@pytest.fixture(scope="session")
def fitted(tmp_path_factory):
    """Return the run, and the one that the same command line made; not to be changed."""
    folder = tmp_path_factory.mktemp("fitted")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("lt_lightning.callbacks.RunRecord._draw", lambda *_: None)
        with put_back():
            run = lt.fit(["ce", "data/digits"], name="api", **OPTIONS)
        command = run.results.content["command"][1:]
        answer = in_process([*command, "--name", "command"])
        assert answer.status == 0, answer.err
    absolute = folder / run.folder
    return lt.load_run(absolute, device="cpu"), folder / "runs" / "command" / "0"


@pytest.fixture(scope="session")
def pictures(tmp_path_factory) -> Path:
    """Return a folder of five pictures of several sizes and modes, at two depths."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "inner").mkdir()
    rng = np.random.default_rng(0)
    for place, (mode, size) in enumerate(
        [("RGB", 8), ("RGB", 20), ("L", 8), ("RGBA", 11), ("RGB", 40)]
    ):
        shape = (size, size + place, *([] if mode == "L" else [len(mode)]))
        image = Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8), mode=None)
        image.save(folder / ("inner" if place > 2 else ".") / f"{place}.png")
    return folder
