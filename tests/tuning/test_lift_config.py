"""configs/lift.yaml with a small random ViT, and its values beside those of the authors' code."""

import csv
from pathlib import Path

import numpy as np
import pytest
import yaml
from config_files import CONFIGS
from lt_runs import in_process
from PIL import Image

FILE = CONFIGS / "lift.yaml"
SMALL = (
    *("--model.backbone.name", "test_vit", "--model.backbone.weights", "null"),
    *("--data.source.image_size", "32", "--data.source.in_memory", "true"),
    *("--trainer.max_epochs", "2", "--trainer.accelerator", "cpu"),
    *("--trainer.precision", "32-true", "--data.batch_size", "4"),
)


@pytest.fixture
def lt(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("lt_lightning.callbacks.RunRecord._draw", lambda *_: None)
    return in_process


@pytest.fixture
def pictures(tmp_path):
    rng = np.random.default_rng(0)
    for split in ("train", "test"):
        for shade, name in enumerate(("cat", "dog")):
            folder = tmp_path / "pictures" / split / name
            folder.mkdir(parents=True)
            for number in range(4):
                pixels = rng.integers(0, 80, (32, 32, 3), dtype=np.uint8) + np.uint8(90 * shade)
                Image.fromarray(pixels).save(folder / f"{number}.png")
    return tmp_path / "pictures"


@pytest.mark.parametrize(
    "tuning", [(), ("--model.tuning", "LoRA", "--model.tuning.rank", "2")], ids=["adapters", "lora"]
)
def test_the_file_trains_a_small_vit_and_predicts_from_its_checkpoint(lt, pictures, tuning):
    pytest.importorskip("timm")
    if tuning:
        pytest.importorskip("peft")
    answer = lt(["fit", "--config", str(FILE), "--data.root", str(pictures), *SMALL, *tuning])
    assert answer.status == 0, answer.err
    answer = lt(["predict", "runs/lift/0", "--images", str(pictures / "test"), "--out", "p.csv"])
    assert answer.status == 0, answer.err
    with open("p.csv", newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["class"] for row in rows] == [Path(row["file"]).parts[0] for row in rows]
    kept = yaml.safe_load(Path("runs/lift/0/config.yaml").read_text(encoding="utf-8"))
    assert kept["model"]["init_args"]["backbone"]["init_args"]["image_size"] == 32


def test_values_are_those_of_the_code_of_lift():
    content = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    model = content["model"]["init_args"]
    assert content["trainer"]["max_epochs"] == 10
    assert content["data"]["batch_size"] == 128
    assert model["optimizer"]["init_args"] == {"lr": 0.01, "momentum": 0.9, "weight_decay": 5e-4}
    assert model["head"] == {"class_path": "CosineHead", "init_args": {"scale": 25}}
    assert model["loss"]["class_path"] == "LogitAdjustment"
    assert model["head_start"] == "class_means"
    assert model["tuning"] == {"class_path": "AdaptFormer"}
