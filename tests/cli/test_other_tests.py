"""A finished run tested under other conditions: another evaluation, or a refusal."""

import json
import re
import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image

from lt_lightning.data import Digits
from lt_lightning.report.cell import Grid
from lt_lightning.report.run import Run


@pytest.fixture
def photos(tmp_path):
    """A folder with images of three classes, whose names are those of the run."""
    split, root = Digits(size=8).load(Path())["train"], tmp_path / "photos"
    for number in range(40):
        label = int(split.labels[number])
        if label < 3:
            (root / str(label)).mkdir(parents=True, exist_ok=True)
            pixels = split.images[number].permute(1, 2, 0).numpy()
            Image.fromarray(pixels).save(root / str(label) / f"{number}.png")
    return root


def evaluations(run):
    return json.loads((Path(run) / "results.json").read_text(encoding="utf-8"))["evaluations"]


def test_another_folder_is_another_evaluation(lt, place, photos):
    copy, images = place["copy"], sum(1 for _ in photos.rglob("*.png"))
    before = evaluations(copy)

    answer = lt(f"test {copy} --data.test_root {photos}")

    assert answer.status == 0, answer.err
    assert "has no image of 7 classes (3, 4, 5, 6, 7, ...)" in answer.err
    (name,) = set(evaluations(copy)) - set(before)
    assert name.startswith("last@photos-")
    found = evaluations(copy)
    assert {key: found[key] for key in before} == before
    assert found[name]["images"] == images
    assert found[name]["test"]["folder"] == str(photos)
    assert found[name]["test"]["fingerprint"][:8] == name[-8:]
    assert "tested on other images" in answer.out
    # The same images in another place are the same evaluation.
    shutil.copytree(photos, photos.parent / "again" / "test")
    assert lt(f"test {copy} --data.test_root {photos.parent}/again").status == 0
    again = set(evaluations(copy)) - set(found)
    assert [one[-8:] for one in again] == [name[-8:]]
    # Other pixels under the same names are not.
    file = next(photos.rglob("*.png"))
    Image.new("RGB", (8, 8), "red").save(file)
    assert lt(f"test {copy} --data.test_root {photos}").status == 0
    assert len(evaluations(copy)) == len(before) + 3

    grid = Grid.of([Run.read(Path(copy))])
    own = [data for _, data in grid.cells if "tested on" not in data.name]
    assert len(set(own)) == 1
    assert len({data for _, data in grid.cells}) == 4


def test_held_out_images_in_place_of_the_test_split(lt, place):
    own = evaluations(place["run"])["last"]
    line = f"fit {place['quick']} --name kept --data.holdout.fraction 0.1 --test_on held_out"
    assert lt(line).status == 0
    found = evaluations("runs/kept/0")
    (name,) = found  # none of the test split, and none of the weights that these images chose
    assert name.startswith("last@held_out-")
    assert 0 < found[name]["images"] < own["images"]

    answer = lt("test runs/kept/0 --test_on held_out --post_hoc LogitAdjuster --save_as changed")

    assert answer.status == 0, answer.err
    (changed,) = evaluations("runs/changed/0")
    assert changed == name.replace("last", "last+logit_adjustment_tau_1")
    # The own test of either is that of the test split, as ever.
    assert lt("test runs/changed/0").status == 0
    again = evaluations("runs/changed/0")["last+logit_adjustment_tau_1"]
    assert again["images"] == own["images"]
    assert again["test"]["fingerprint"] == own["test"]["fingerprint"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("test {run} --test_on held_out --data.test_root {photos}", "--test_on held_out looks at"),
        ("validate {run} --data.test_root {photos}", "lt validate looks at the held-out ones"),
        ("test {run} --test_on held_out --post_hoc TemperatureScaling", "fitted on the held-out"),
        ("calibrate {run} --test_on held_out", "TemperatureScaling is fitted on the held-out"),
        ("fit {quick} --data.holdout.fraction 0.1 --test_on held_out --post_hoc "
         "VectorScalingCalibration", "is fitted on the held-out images, and --test_on held_out"),
    ],
)  # fmt: skip
def test_images_are_tested_as_asked_and_none_that_were_fitted_on(
    lt, place, photos, snapshot, words, says
):
    """Trap: the folder was passed over, and calibration looked better on its own images."""
    copy = place["copy"]
    before = snapshot(Path("runs"))
    answer = lt(words.format(run=copy, photos=photos, quick=place["quick"]))
    assert (answer.status, answer.out) == (2, "")
    assert says in answer.err
    assert snapshot(Path("runs")) == before


def test_a_folder_that_is_not_tested_is_in_no_record(lt, place, photos):
    line = f"fit {place['quick']} --name kept --data.holdout.fraction 0.1 --test_on held_out"
    assert lt(f"{line} --data.test_root {photos}").status == 0
    (found,) = evaluations("runs/kept/0").values()
    assert found["test"]["folder"] is None
    again = lt(f"{line} --data.test_root {photos} --ckpt_path last")
    assert again.status == 0, again.err
    assert list(evaluations("runs/kept/0").values()) == [found]


def test_held_out_images_that_are_not_there(lt, place):
    answer = lt(f"fit {place['quick']} --test_on held_out")
    assert (answer.status, answer.out) == (1, "")
    assert "--data.holdout.fraction 0.1, or leave out --test_on" in answer.err
    assert not Path("runs").exists()


def test_a_class_that_the_run_has_not(lt, place, photos, snapshot):
    (photos / "owl").mkdir()
    before = snapshot(Path(place["copy"]))
    answer = lt(f"test {place['copy']} --data.test_root {photos}")
    assert answer.status == 1
    assert "'owl'" in answer.err
    assert snapshot(Path(place["copy"])) == before


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ("--trainer.precision bf16-mixed", "last@bf16-mixed"),
        ("--trainer.limit_test_batches 1 --data.eval_batch_size 100", "last@100_images"),
        pytest.param("--trainer.precision 32-true", "last", marks=pytest.mark.slow),
        pytest.param("--data.eval_batch_size 77", "last", marks=pytest.mark.slow),
    ],
)
def test_conditions_have_their_own_name(lt, place, more, name):
    copy = place["copy"]
    before = evaluations(copy)
    answer = lt(f"test {copy} {more}")
    assert answer.status == 0, answer.err
    found = evaluations(copy)
    assert set(found) == {*before, name}
    if name == "last":
        assert found["last"]["overall"] == pytest.approx(before["last"]["overall"])
    else:
        assert found["last"] == before["last"]
    assert found[name]["command"] != before["last"]["command"]
    assert found[name]["hardware"]["precision"] == ("bf16-mixed" if "bf16" in more else "32-true")


@pytest.mark.parametrize(
    "more",
    [
        "--data.normalize.mean [0.5,0.5,0.5]",
        pytest.param("--data.source.size 16", marks=pytest.mark.slow),
        pytest.param("--data.group_rule.few_below 3", marks=pytest.mark.slow),
        pytest.param("--data.subset_seed 5", marks=pytest.mark.slow),
    ],
)
def test_what_is_refused(lt, place, more, snapshot):
    before = snapshot(Path(place["copy"]))
    answer = lt(f"test {place['copy']} {more}")
    assert answer.status == 1, answer.out
    assert "Traceback" not in answer.err
    assert snapshot(Path(place["copy"])) == before


@pytest.mark.parametrize(
    "options",
    [
        {"--data.subset_seed": "5", "--data.profile.imbalance_ratio": "5"},
        pytest.param({"--data.group_rule.many_above": "50"}, marks=pytest.mark.slow),
        pytest.param({"--data.holdout": "null"}, marks=pytest.mark.slow),
    ],
)
def test_the_option_that_makes_another_run_of_it_is_named(lt, place, options):
    words = " ".join(f"{key} {value}" for key, value in options.items())
    answer = lt(f"test {place['run']} --trainer.limit_test_batches 1 {words}")
    assert answer.status == 1
    assert f"is of the run without {' and '.join(options)} (its " in answer.err
    assert answer.err.rstrip().endswith(f"leave {'it' if len(options) == 1 else 'them'} out.")


@pytest.mark.slow
def test_other_options_of_a_change_stand_beside_it(lt, place):
    copy = place["copy"]
    for temperature in (5, 10, 5):
        line = f"--post_hoc NearestMean --post_hoc.temperature {temperature}"
        assert lt(f"test {copy} {line}").status == 0
    found = [one for one in evaluations(copy).values() if "post_hoc" in one]
    assert sorted(one["post_hoc"]["temperature"] for one in found) == [5.0, 10.0]


@pytest.mark.parametrize(
    "command", ["test {}", "test {} --post_hoc NearestMean", "calibrate {}", "validate {}"]
)
@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("--data.normalize.mean=[0.1,0.1,0.1]", r"but the data have \[0.1, 0.1, 0.1\]"),
        ("--data.profile.imbalance_ratio=5", "fingerprint|trained on the images"),
    ],
)
def test_images_of_another_training_are_refused(lt, place, command, option, says):
    """Trap: a change without training took its weights past the question, and was recorded."""
    copy = Path(place["copy"])
    before = {p.name: p.read_bytes() for p in copy.iterdir() if p.is_file() and p.name != ".lock"}

    answer = lt(f"{command.format(copy)} {option}")

    assert answer.status == 1
    assert re.search(says, answer.err.splitlines()[-1])
    after = {p.name: p.read_bytes() for p in copy.iterdir() if p.is_file() and p.name != ".lock"}
    assert after == before


def test_a_run_that_tests_its_first_stage_keeps_its_own_size(lt, place):
    """Trap: the first stage is another network, and what was told of the run was that of it."""
    answer = lt(
        f"fit --config lws --config data/digits --model.stage1_ckpt {place['copy']} --name lws "
        "--trainer.max_epochs null --model.stage2_epochs 1 --model.backbone.depth 8 "
        "--model.backbone.width 4 --data.source.size 8"
    )
    assert answer.status == 0, answer.err
    assert list(evaluations("runs/lws/0")) == ["last", "stage1"]
    found, begun = (
        json.loads((Path(run) / "results.json").read_text("utf-8"))["training"]
        for run in ("runs/lws/0", place["copy"])
    )
    assert found["trainable_parameters"] == 10
    assert found["parameters"] == begun["parameters"] + 10


def test_weights_that_are_too_large_are_told_and_leave_no_record_that_cannot_be_read(lt, place):
    """Trap: they are finite, and their logits are not; a test refused what it had just written."""
    copy = Path(place["copy"])

    def large(factor):
        content = torch.load(copy / "checkpoints" / "last.ckpt", weights_only=True)
        content["state_dict"]["head.weight"].mul_(0).add_(factor)
        torch.save(content, copy / "checkpoints" / "last.ckpt")

    before = (copy / "results.json").read_bytes()
    large(1e38)
    answer = lt(f"test {copy}")
    assert answer.status == 1
    assert "weight_norms is no number for each class) and are not written" in answer.err
    assert (copy / "results.json").read_bytes() == before
    content = torch.load(copy / "checkpoints" / "last.ckpt", weights_only=True)
    content["state_dict"]["head.weight"].fill_(1e29)
    norm = [name for name in content["state_dict"] if name.startswith("backbone")]
    for name in norm:
        if name.endswith("weight"):
            content["state_dict"][name].mul_(1e9)
    torch.save(content, copy / "checkpoints" / "last.ckpt")
    answer = lt(f"test {copy}")
    assert answer.status == 0, answer.err
    assert "test images have logits that are not finite and count as misses" in answer.err
