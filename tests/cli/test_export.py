"""`lt export`: what leaves the house says what the run said, without this package."""

import csv
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from lt_runs import environment
from PIL import Image

from lt_lightning.data import view
from lt_lightning.data.decode import read_image
from lt_lightning.data.reading import Reading
from lt_lightning.data.view import evaluation_side
from lt_lightning.export import readme
from lt_lightning.export.card import card
from lt_lightning.runs.past import Past

BLOCKED = (
    "import sys; sys.modules.update(lt_lightning=None, lightning=None); exec(sys.stdin.read())"
)


def block(text):
    """Return the code of a README."""
    (found,) = re.findall(r"```python\n(.*?)```", text, re.S)
    return found


def run_readme(folder):
    """Run the lines of a README where this package cannot be imported; return what they print."""
    code = block((folder / "README.md").read_text(encoding="utf-8"))
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED],
        cwd=folder,
        input=code,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.fixture
def picture(tmp_path):
    """Return a file of 40 x 23 pixels, lying on its side by EXIF."""
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = np.random.default_rng(0).integers(0, 256, (23, 40, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "picture.png", exif=exif)
    return tmp_path / "picture.png"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["torch_export", "onnx"])
@pytest.mark.parametrize(
    ("change", "name"),
    [
        ("LogitAdjuster --post_hoc.tau 1", "logit_adjustment_tau_1"),
        (
            "MultiplicativeLogitAdjuster --post_hoc.tau 0.2",
            "multiplicative_logit_adjustment_tau_0.2",
        ),
    ],
)
def test_the_readme_says_what_lt_predict_writes(lt, place, picture, kind, change, name):
    if kind == "onnx":
        pytest.importorskip("onnxruntime")
        pytest.importorskip("onnxscript")
    change = f"--post_hoc {change}"

    answer = lt(f"export {place['run']} --format {kind} --out out {change}")

    assert answer.status == 0, answer.err
    assert answer.out.endswith(
        "compared with the run by " + {"onnx": "onnxruntime\n"}.get(kind, "torch\n")
    )
    shutil.copy(picture, "out/picture.png")
    found, chance = run_readme(Path("out"))
    line = f"predict {place['run']} --images {picture} --out x.csv --device cpu {change}"
    assert lt(line).status == 0
    with open("x.csv", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert found == row["class"]
    assert float(chance) == pytest.approx(float(row["confidence"]), abs=2e-5)
    card = Path("out/MODEL_CARD.md").read_text(encoding="utf-8")
    assert f"Changes after training: {name}." in card
    assert "No test of these outputs is on record." in card


@pytest.mark.parametrize("reading", [Reading(), Reading(None, None, False)])
@pytest.mark.parametrize(
    ("size", "shape"),
    [
        (8, (8, 8)),
        (8, (5, 7)),
        (8, (30, 11)),
        (8, (11, 31)),
        (96, (96, 50)),
        (96, (301, 173)),
        (224, (237, 237)),
        (224, (3, 2000)),
        (8, (900_000, 1)),
    ],
)
def test_the_lines_of_a_readme_read_a_picture_as_the_run_does(tmp_path, size, shape, reading):
    rng = np.random.default_rng(0)
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = Image.fromarray(rng.integers(0, 256, (*shape, 4), dtype=np.uint8))
    picture.save(tmp_path / "a.png", exif=exif)
    about = {"image_size": size, "short_side": evaluation_side(size)}
    about |= {"background": reading.background, "upright": reading.upright}
    code = readme._VIEW.replace('json.load(open("about.json", encoding="utf-8"))', repr(about))
    names = {}
    exec(code, names)
    assert names["WHOLE"] == view.WHOLE
    wanted = read_image(tmp_path / "a.png", size, reading=reading).permute(1, 2, 0)
    assert torch.equal(torch.tensor(names["pixels"](tmp_path / "a.png")), wanted)


# What is refused was opened and not read, so Pillow has not closed it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("kind", [np.uint16, np.int32, np.float32])
def test_the_lines_of_a_readme_refuse_what_pillow_would_make_white(tmp_path, kind):
    picture = Image.fromarray(np.arange(1024, dtype=kind).reshape(32, 32))
    picture.save(tmp_path / "a.tif")
    about = {"image_size": 32, "short_side": 32, "background": None, "upright": True}
    names = {}
    code = readme._VIEW.replace('json.load(open("about.json", encoding="utf-8"))', repr(about))
    exec(code, names)
    with pytest.raises(ValueError, match=r"a\.tif has more than 8 bits a channel"):
        names["pixels"](tmp_path / "a.tif")


def test_weights_alone_are_bit_for_bit_and_the_card_has_the_numbers(lt, place):
    pytest.importorskip("safetensors")
    answer = lt(f"export {place['run']} --format safetensors --out out")
    assert answer.status == 0, answer.err
    from safetensors.torch import load_file

    content = torch.load(Path(place["run"]) / "checkpoints" / "last.ckpt", weights_only=True)
    found = load_file("out/model.safetensors")
    for name, value in content["state_dict"].items():
        assert torch.equal(found[f"model.{name}"], value)
    assert int(run_readme(Path("out"))[0]) == len(found)
    about = json.loads(Path("out/about.json").read_text(encoding="utf-8"))
    assert about["class_names"] == list(map(str, range(10)))
    results = json.loads((Path(place["run"]) / "results.json").read_text(encoding="utf-8"))
    last, card = results["evaluations"]["last"], Path("out/MODEL_CARD.md").read_text("utf-8")
    assert f"mean over classes {100 * last['overall']['acc_macro']:.2f} %" in card
    made = f"- Parameters: {results['training']['parameters']:,}.", "- Seed: 0."
    assert all(f"\n{line}\n" in card for line in made)
    assert f"- Fingerprint of the training images: {results['data']['fingerprint']}." in card
    for row in last["classes"]:
        cells = [row["name"], row["training_images"], row["test_images"]]
        assert f"| {' | '.join(map(str, cells))} | {100 * row['accuracy']:.2f} % |" in card
    kept = sorted(file.name for file in Path("out").iterdir())
    assert kept == ["MODEL_CARD.md", "README.md", "about.json", "model.safetensors"]

    again = lt(f"export {place['run']} --format safetensors --out out")
    assert again.status == 1
    assert "exists and is never overwritten" in again.err


@pytest.mark.parametrize("tested", [None, {"flags": {"oracle": False}, "evaluations": {}}])
def test_the_card_has_the_stamps_of_the_weights(tested):
    about = {"method": "ERM", "version": "1", "changes": [], "groups": {}}
    about |= {"class_names": ["cat"], "class_counts": [3]}
    assert "Stamped" not in card(tested, None, about, Past())
    stamped = card(tested, None, about, Past(test_seen=True, oracle=True))
    assert set(re.findall(r"test seen during training|oracle", stamped)) == {
        "test seen during training",
        "oracle",
    }


@pytest.mark.parametrize(
    ("more", "says", "status"),
    [
        ("--format tflite", "invalid choice: 'tflite'", 2),
        ("--calibrated", "was not fitted to", 1),
        ("--post_hoc NearestMean", "--save_as NEW", 1),
    ],
)
def test_what_cannot_be_exported_is_said(lt, place, more, says, status):
    kind = "" if "--format" in more else "--format torch_export"
    answer = lt(f"export {place['run']} --out out {kind} {more}")
    assert answer.status == status
    assert says in answer.err
    assert not Path("out").exists()


def test_a_package_that_is_missing_is_named(lt, place, monkeypatch):
    monkeypatch.setattr("lt_lightning.export.formats.find_spec", lambda name: None)
    answer = lt(f"export {place['run']} --out out")
    assert answer.status == 2
    assert "needs the package onnx, which is not installed" in answer.err


def test_a_network_that_differs_is_refused_and_nothing_is_left(lt, place, monkeypatch):
    def wrong(network, example, file):
        file.write_bytes(b"")
        return lambda images: network(images) + 1e-4, "torch"

    monkeypatch.setattr("lt_lightning.export.formats._program", wrong)
    answer = lt(f"export {place['run']} --format torch_export --out out")
    assert answer.status == 1
    assert "differs from the run by 0.0001" in answer.err
    assert not [file for file in Path().iterdir() if "out" in file.name]
