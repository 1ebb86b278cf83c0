"""A folder of small pictures, and a course over it."""

import json
from pathlib import Path

import numpy as np
import pytest
from lt_runs import in_process
from PIL import Image

COUNTS = {"cat": 24, "dog": 12, "owl": 3}
TINY = (
    "--model.backbone.depth=8 --model.backbone.width=4 --data.source.image_size=8 "
    "--data.source.test_fraction=0.2 --data.augment.padding=1 --data.batch_size=8 "
    "--trainer.max_epochs=2 --trainer.accelerator=cpu --trainer.precision=32-true"
).split()


def draw(root, side=8, counts=COUNTS):
    """Write pictures of one shade for each class, with noise."""
    rng = np.random.default_rng(0)
    for k, (name, count) in enumerate(counts.items()):
        (root / name).mkdir(parents=True)
        for number in range(count):
            pixels = rng.integers(0, 120, (side, side, 3)) + 60 * k
            Image.fromarray(pixels.astype(np.uint8)).save(root / name / f"{number}.png")
    return root


@pytest.fixture(scope="session")
def pictures(tmp_path_factory) -> Path:
    """Return a folder of three classes, without train/ and test/; not to be changed."""
    return draw(tmp_path_factory.mktemp("pictures") / "pets")


@pytest.fixture(scope="session")
def course(tmp_path_factory, pictures):
    """Return the folder of a course that came to its end, and what it said; not to be changed."""
    home = tmp_path_factory.mktemp("course")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setattr("lt_lightning.callbacks.RunRecord._draw", lambda *_: None)
        answer = in_process(["auto", f"--data.root={pictures}", "--minutes=60", *TINY])
    assert answer.status == 0, answer.err
    return home / "runs" / "auto-pets", answer


def known(folder):
    """Return what auto.json holds."""
    return json.loads((Path(folder) / "auto.json").read_text(encoding="utf-8"))


@pytest.fixture
def lt(tmp_path, monkeypatch):
    """Return a function that runs `lt` in an empty folder, without figures."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lt_lightning.callbacks.RunRecord._draw", lambda *_: None)
    return in_process
