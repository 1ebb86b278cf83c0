"""`lt cam` on a finished run of the digits, and the trainings that use what it makes."""

import json
import re
import shlex
import shutil

import numpy as np
import pytest
import torch
from lt_runs import CONFIGS, in_process, results, rows, tiny
from PIL import Image

from lt_lightning.data.added_images import ABOUT, ARRAY

DIGITS = str(CONFIGS / "data" / "digits.yaml")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return a folder with a finished run and what `lt cam` made of it; not to be changed."""
    folder = tmp_path_factory.mktemp("cam")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("lt_lightning.callbacks.RunRecord._draw", lambda *_: None)
        answer = in_process(tiny("ce", "--name", "ce", "--seed_everything", "7"))
        assert answer.status == 0, answer.err
        answer = in_process(["cam", "runs/ce/0", "--out", "added"])
        assert answer.status == 0, answer.err
        (folder / "said").write_text(answer.out)
    return folder


@pytest.fixture
def lt(place, tmp_path, monkeypatch):
    """Return a function that runs `lt` in an empty folder with a copy of the run."""
    shutil.copytree(place / "runs", tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lt_lightning.callbacks.RunRecord._draw", lambda *_: None)
    return lambda *words: in_process(list(words), LT_CACHE=str(tmp_path / "cache"))


def about(folder):
    return json.loads((folder / ABOUT).read_text(encoding="utf-8"))


def test_every_class_has_as_many_images_as_the_largest(place):
    found, data = about(place / "added"), results(place / "runs" / "ce" / "0")["data"]
    largest = max(data["class_counts"])
    total = [a + b for a, b in zip(found["counts"], data["class_counts"], strict=True)]
    assert total == [largest] * 10
    assert found["fingerprint"] == data["fingerprint"]
    assert found["image_size"] == 8
    assert found["made"]["seed"] == 7
    assert found["made"]["run"] == "ce/0"
    with np.load(place / "added" / ARRAY) as stored:
        assert stored["images"].shape == (sum(found["counts"]), 3, 8, 8)
        assert stored["images"].dtype == np.uint8
        assert np.bincount(stored["labels"], minlength=10).tolist() == found["counts"]


def test_last_words_say_how_to_go_on(place):
    said = (place / "said").read_text()
    assert re.search(r"[\d,]+ new images of 9 classes beside the [\d,]+ of the run", said)
    line = "lt fit --config cam_drs --config added/data.yaml --data.added_images added"
    assert f"Train on them: {line}\n" in said
    with Image.open(place / "added" / "contact_sheet.png") as sheet:
        assert min(sheet.size) > 300


def test_new_images_resemble_an_image_of_their_class(place):
    from lt_lightning.cam import plan_images
    from lt_lightning.data import Digits, Exponential, LongTailDataModule

    data = LongTailDataModule(source=Digits(size=8), profile=Exponential(imbalance_ratio=50))
    data.setup("fit")
    images = data.whole("train").images
    plan = plan_images(images.labels, 10, None, 7)
    with np.load(place / "added" / ARRAY) as stored:
        new, labels = torch.from_numpy(stored["images"]), torch.from_numpy(stored["labels"])
    assert torch.equal(labels, plan.labels)
    kept = (new == images.images[plan.sources]).all(1).float().mean((1, 2))
    assert float(kept.min()) > 0
    assert 0.2 < float(kept.mean()) < 0.95


def test_a_config_that_was_changed_is_left(lt, tmp_path):
    assert lt("cam", "runs/ce/0", "--out", "added").status == 0
    config = tmp_path / "added" / "data.yaml"
    changed = config.read_bytes() + b"# my own note\n"
    config.write_bytes(changed)
    answer = lt("cam", "runs/ce/0", "--out", "added")
    assert answer.status == 0, answer.err
    assert "added/data.yaml says something else than would be written now" in answer.err
    assert config.read_bytes() == changed


QUICK = (
    *("--trainer.max_epochs", "2", "--trainer.accelerator", "cpu"),
    *("--model.backbone.depth", "8", "--model.backbone.width", "4"),
    *("--model.lr_schedule.warmup_epochs", "1"),
)


@pytest.mark.slow
def test_the_last_line_trains_on_the_data_of_the_run(lt, tmp_path):
    """Also where the pictures have moved since, into a folder with a blank in its name."""
    numbers = np.random.default_rng(0)
    for name, images in (("a", 9), ("b", 4)):
        (tmp_path / "first" / name).mkdir(parents=True)
        for number in range(images):
            pixels = numbers.integers(0, 256, (9, 9, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "first" / name / f"{number}.png")
    options = ["--data.source.test_fraction", "0.25", "--data.source.image_size", "8"]
    options += ["--data.holdout.per_class", "1", "--data.root", "first", "--name", "own"]
    fitted = lt("fit", "--config", "ce", "--config", "data/folder", *options, *QUICK)
    assert fitted.status == 0, fitted.err
    (tmp_path / "first").rename(tmp_path / "moved on")
    made = lt("cam", "runs/own/0", "--out", "more images", "--data.root", "moved on")
    assert made.status == 0, made.err

    words = shlex.split(made.out.rpartition("Train on them: ")[2])
    answer = lt(*words[1:], *QUICK, "--name", "more")
    assert answer.status == 0, answer.err
    first, second = (results(tmp_path / "runs" / name / "0")["data"] for name in ("own", "more"))
    for key in ("fingerprint", "class_counts", "test_fingerprint"):
        assert first[key] == second[key]


@pytest.mark.slow
def test_same_command_makes_the_same_images_and_the_cache_keeps_them(place, lt, tmp_path):
    first = lt("cam", "runs/ce/0", "--batch_size", "7")
    assert first.status == 0, first.err
    (made,) = (tmp_path / "cache" / "lt_lightning" / "cam").iterdir()
    assert made.name.startswith("ce-0-")
    with np.load(made / ARRAY) as here, np.load(place / "added" / ARRAY) as there:
        assert np.array_equal(here["images"], there["images"])
    before = (made / ARRAY).stat().st_mtime_ns
    assert lt("cam", "runs/ce/0").out == first.out
    assert (made / ARRAY).stat().st_mtime_ns == before, "it was there"
    few = lt("cam", "runs/ce", "--per_class", "30", "--seed", "8")
    assert few.status == 0, few.err
    (other,) = set(made.parent.iterdir()) - {made}
    counts = results(tmp_path / "runs" / "ce" / "0")["data"]["class_counts"]
    assert about(other)["counts"] == [max(30 - n, 0) for n in counts]


@pytest.mark.slow
def test_deferred_training_sees_the_added_images_from_the_switch_on(place, lt, tmp_path):
    options = ("--data.sampler.at", "2", "--data.added_images", str(place / "added"))
    deferred = lt(*tiny("cam_drs", "--name", "cam", "--seed_everything", "7", *options))
    assert deferred.status == 0, deferred.err
    assert "added training images from" in deferred.err
    plain, cam = tmp_path / "runs" / "ce" / "0", tmp_path / "runs" / "cam" / "0"
    first, second = (results(run)["data"] for run in (plain, cam))
    assert (first["added_images"], second["added_images"]) == (None, str(place / "added"))
    for key in ("fingerprint", "class_counts", "groups"):
        assert first[key] == second[key]
    losses = [[row.get("train/loss") for row in rows(run)][:3] for run in (plain, cam)]
    assert losses[0][:2] == losses[1][:2], "the epochs before the switch are those of plain CE"
    assert losses[0][2] != losses[1][2]
    tested = lt("test", "runs/cam/0", "--data.added_images", "gone")
    assert tested.status == 0, tested.err


def test_bag_of_tricks_goes_through_its_stages(place, lt, tmp_path):
    # `at` and the epochs of mixup as in the file: four fifths of stage 2.
    answer = lt(
        *("fit", "--config", str(CONFIGS / "bag_of_tricks.yaml"), "--config", DIGITS),
        *("--trainer.accelerator", "cpu", "--model.stage1_epochs", "1"),
        *("--model.stage2_epochs", "5", "--model.stage2_mixing_epochs", "4"),
        *("--model.backbone.depth", "8", "--model.backbone.width", "4"),
        *("--data.source.size", "8", "--data.augment.padding", "1", "--data.batch_size", "64"),
        *("--data.epoch_length", "64", "--name", "bag"),
        *("--data.added_images", str(place / "added")),
    )
    assert answer.status == 0, answer.err
    found = results(tmp_path / "runs" / "bag" / "0")
    assert found["training"]["epochs"] == 6
    assert {"last", "stage1"} <= set(found["evaluations"])


def test_config_without_added_images_is_refused(lt):
    answer = lt(*tiny("cam_drs"))
    assert answer.status == 1
    assert answer.err.splitlines()[-1] == (
        "lt: The sampler WithAdded needs data.added_images: make them by `lt cam RUN` from a "
        "finished run on these images, and give the folder that it names."
    )


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        ("", 2, "the following arguments are required: RUN"),
        ("runs/none", 1, "There is no run runs/none"),
        ("runs/ce/0 --per_class 0", 1, "--per_class is 0: give 1 or more"),
        ("runs/ce/0 --per_class 1", 1, "so there is nothing to make: give --per_class above"),
        ("runs/ce/0 --threshold 2", 1, "--threshold is 2.0: give a number from 0 to 1"),
        ("runs/ce/0 --treshold 1", 2, "unrecognized arguments: --treshold 1"),
        ("runs/ce/0 --device pony", 1, "--device is 'pony'"),
        ("runs/ce/0 --out runs", 1, "--out runs exists and holds something else"),
        ("runs/ce/0 --data.rot x", 2, "there is no option 'data.rot': did you mean 'data.root'?"),
        ("runs/ce/0 --data.source.size 9", 1, "was trained on images of image_size 8 but"),
        ("runs/ce/0 --data.normalize.mean [0,0,0]", 1, "was trained on images of mean"),
        ("runs/ce/0 --data.subset_seed 3", 1, "was trained on the images"),
    ],
)
def test_bad_input_is_told_in_one_sentence(lt, words, status, told):
    answer = lt("cam", *words.split())
    assert answer.status == status
    assert told in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.slow
def test_run_without_maps_is_refused(lt):
    bbn = lt(*tiny("bbn", "--name", "bbn", "--trainer.max_epochs", "1"))
    assert bbn.status == 0, bbn.err
    answer = lt("cam", "runs/bbn/0")
    assert answer.status == 1
    assert "BilateralResNetCIFAR has no class-activation maps" in answer.err
