"""A wheel, away from the repository: from a folder of pictures to a model without this package."""

import csv
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from lt_runs import environment
from PIL import Image

pytest.importorskip("hatchling", reason="it builds the wheel")
pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
CLASSES = {"robin": 40, "sparrow": 12, "wren": 5}  # training images
SMALL = (
    *("--model.backbone.depth", "8", "--model.backbone.width", "4"),
    *("--data.source.image_size", "16", "--data.batch_size", "8", "--data.workers", "0"),
    *("--trainer.accelerator", "cpu", "--trainer.max_epochs", "2", "--runs", "runs"),
)
FOLDER = ("--config", "data/folder", "--data.root", "birds", "--data.holdout.fraction", "0.2")
ALONE = "import sys; sys.modules.update(lt_lightning=None, lightning=None); exec(sys.stdin.read())"


def pictures(folder):
    """Write a split of pictures of 20 x 18 pixels, a colour for each class."""
    rng = np.random.default_rng(0)
    for split, share in (("train", 1), ("test", 0)):
        for label, (name, count) in enumerate(CLASSES.items()):
            (folder / split / name).mkdir(parents=True)
            for number in range(count if share else 6):
                pixels = rng.integers(0, 120, (18, 20, 3))
                pixels[..., label] += 120
                file = folder / split / name / f"{number}.png"
                Image.fromarray(pixels.astype(np.uint8)).save(file)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Return a wheel of the source as it stands."""
    folder = tmp_path_factory.mktemp("wheel")
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (made,) = folder.glob("lt_lightning-*.whl")
    return made


@pytest.fixture
def away(wheel, tmp_path, monkeypatch):
    """Return what runs a program in an empty folder where only the wheel's package is found."""
    site, place = tmp_path / "site", tmp_path / "place"
    place.mkdir()
    words = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site)]
    done = subprocess.run([sys.executable, *words, str(wheel)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    monkeypatch.chdir(place)

    def program(*words, cwd=place, stdin=""):
        done = subprocess.run(
            [sys.executable, *map(str, words)],
            cwd=cwd,
            input=stdin,
            env=environment(PYTHONPATH=str(site)),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    where = program("-c", "import lt_lightning; print(lt_lightning.__file__)")
    assert Path(where.strip()).is_relative_to(site), "the package of the repository was found"
    program.lt = lambda *words, **options: program(site / "bin" / "lt", *words, **options)
    return program


def test_every_config_and_published_number_is_in_the_wheel(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for file in (ROOT / "configs").rglob("*.yaml"):
        assert f"lt_lightning/{file.relative_to(ROOT).as_posix()}" in names
    assert {"lt_lightning/py.typed", "lt_lightning/results/published.yaml"} <= names
    assert not [name for name in names if name.startswith(("tests/", "lt_lightning/tests/"))]


@pytest.mark.timeout(600)
def test_the_whole_job_from_a_folder_to_a_model_that_leaves(away):
    pictures(Path("birds"))

    assert "balanced_softmax" in away.lt("configs")
    away.lt("configs", "copy", "bbn")
    assert Path("bbn.yaml").read_text("utf-8") == (ROOT / "configs/bbn.yaml").read_text("utf-8")
    checked = away.lt("data", "check", "birds")
    assert "images: 57 in train, 18 in test" in checked
    for config in ("ce", "balanced_softmax"):
        away.lt("fit", "--config", config, *FOLDER, *SMALL, "--name", config)
    second = ("--model.stage1_ckpt", "runs/ce", "--model.stage2_epochs", "1")
    away.lt("fit", "--config", "crt", *FOLDER, *SMALL[:-4], *second, "--name", "crt")
    away.lt("report", *(f"runs/{name}" for name in ("ce", "balanced_softmax", "crt")))
    away.lt("test", "runs/ce", "--post_hoc", "LogitAdjuster")
    away.lt("calibrate", "runs/ce")
    away.lt("predict", "runs/ce", "--images", "birds/test", "--out", "all.csv", "--calibrated")
    with open("all.csv", encoding="utf-8", newline="") as stream:
        rows = {Path("birds/test", row["file"]): row for row in csv.DictReader(stream)}
    assert len(rows) == 18

    assert "onnxruntime" in away.lt("export", "runs/ce", "--out", "model", "--calibrated")
    (code,) = re.findall(r"```python\n(.*?)```", Path("model/README.md").read_text("utf-8"), re.S)
    about = json.loads(Path("model/about.json").read_text("utf-8"))
    assert about["class_names"] == list(CLASSES)
    for file, row in rows.items():
        lines = code.replace("picture.png", file.resolve().as_posix())
        assert lines != code, "the lines of the README read another picture"
        name, chance = away("-c", ALONE, cwd="model", stdin=lines).split()
        assert name == row["class"]
        assert float(chance) == pytest.approx(float(row["confidence"]), abs=2e-5)
