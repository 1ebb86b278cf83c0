"""`lt predict` on the test images says what results.json counted, and to the same digits."""

import csv
import json
import math
from pathlib import Path

import pytest
import yaml
from PIL import Image

from lt_lightning.data import Digits


@pytest.fixture
def test_images(tmp_path):
    """The test images of the digits as files; the name begins with the class."""
    folder, split = tmp_path / "png", Digits(size=8).load(Path())["test"]
    folder.mkdir()
    pixels = split.images.permute(0, 2, 3, 1).numpy()
    for number, (image, label) in enumerate(zip(pixels, split.labels.tolist(), strict=True)):
        Image.fromarray(image).save(folder / f"{label}_{number:04}.png")
    return folder


def evaluation(run, label="last"):
    content = json.loads((run / "results.json").read_text(encoding="utf-8"))
    return content["evaluations"][label]


def read(file):
    with open(file, newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def check_same(rows, found):
    """Accuracy and confusion are equal, NLL to 1e-6."""
    classes = [str(k) for k in range(10)]
    truth = [row["file"][0] for row in rows]
    losses = [-math.log(float(row[f"p:{y}"])) for row, y in zip(rows, truth, strict=True)]
    assert sum(losses) / len(rows) == pytest.approx(found["overall"]["nll"], abs=1e-6)
    for y in classes:
        own = [row["class"] for row, true in zip(rows, truth, strict=True) if true == y]
        counted = {k: own.count(k) for k in classes if k in own}
        text = " ".join(f"{k}:{count}" for k, count in counted.items())
        assert found["confusion"][int(y)] == text


@pytest.mark.parametrize(
    "precision", [pytest.param("bf16-mixed", marks=pytest.mark.slow), "bf16-true"]
)
def test_a_run_trained_in_half_precision(lt, place, test_images, precision):
    line = place["quick"].replace("32-true", precision)
    answer = lt(f"fit {line} --name half --model.optimizer SGD --model.optimizer.lr 0.5")
    assert answer.status == 0, answer.err
    run = Path("runs/half/0")
    assert lt(f"predict {run} --images {test_images} --out x.csv").status == 0
    check_same(read("x.csv"), evaluation(run))


def test_a_later_test_and_small_probabilities(lt, place, test_images):
    """The classifier is scaled, so that the probabilities are far below six decimals."""
    content = place.change_checkpoint(
        lambda c: c["state_dict"].update({"head.weight": 100 * c["state_dict"]["head.weight"]})
    )
    copy = content.parent.parent
    config = yaml.safe_load((copy / "config.yaml").read_text(encoding="utf-8"))
    config["trainer"]["precision"] = "bf16-mixed"
    (copy / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    (copy / "results.json").unlink()

    assert lt(f"test {copy}").status == 0
    assert lt(f"predict {copy} --images {test_images} --out x.csv").status == 0

    rows = read("x.csv")
    assert min(float(row[f"p:{k}"]) for row in rows for k in range(10)) < 1e-7
    check_same(rows, evaluation(copy))


def test_numbers_that_are_not_finite_are_no_class(lt, place, test_images):
    file = place.change_checkpoint(
        lambda c: c["state_dict"].update({"head.weight": 1e38 + c["state_dict"]["head.weight"]})
    )
    answer = lt(f"predict {file} --images {test_images} --out x.csv")
    assert answer.status == 1
    assert "gives no finite numbers for the image" in answer.err
    assert not Path("x.csv").exists()
