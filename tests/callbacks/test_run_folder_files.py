"""What a real run leaves in its folder."""

import re
from importlib.metadata import version

import numpy as np
import pytest
from lt_runs import checkpoint, in_process, results, rows, tiny
from PIL import Image

from lt_lightning.callbacks import read_results


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return the folder of a run of one epoch with held-out images."""
    place = tmp_path_factory.mktemp("files")
    more = ("--data.holdout.fraction", "0.2", "--seed_everything", "3", "--data.subset_seed", "4")
    few = ("--trainer.max_epochs", "1", "--model.lr_schedule.warmup_epochs", "0")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        answer = in_process(tiny("ce", *few, *more, "--name", "run"))
    assert answer.status == 0, answer.err
    return place / "runs" / "run" / "0"


def test_files(folder):
    assert {"config.yaml", "metrics.csv", "results.json", "checkpoints"} <= {
        p.name for p in folder.iterdir()
    }
    assert sorted(p.name for p in (folder / "checkpoints").iterdir()) == ["best.ckpt", "last.ckpt"]
    assert not [p for p in folder.rglob("*") if p.suffix in (".part", ".tmp")]


@pytest.mark.parametrize("name", ["accuracy", "confusion", "reliability"])
@pytest.mark.parametrize("label", ["last", "best"])
def test_figures_are_pictures_with_something_on_them(folder, name, label):
    with Image.open(folder / f"{name}_{label}.png") as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 400
        assert len(picture.convert("RGB").getcolors(2**24)) > 20


def test_what_was_run_and_where(folder):
    content = read_results(folder)
    assert content == results(folder)
    assert content["method"] == "lt_lightning.methods.erm.ERM"
    assert content["config"] == ["ce.yaml", "digits.yaml"]
    assert content["command"][:2] == ["lt", "fit"]
    assert content["seeds"] == {"training": 3, "subset": 4}
    assert not any(content["flags"].values())
    assert content["versions"]["torch"] == version("torch")
    assert content["hardware"]["processes"] == 1
    assert 0 < content["training"]["seconds"] < 600
    parameters = sum(v.numel() for k, v in checkpoint(folder)["state_dict"].items() if trained(k))
    assert content["training"]["parameters"] == parameters


def trained(name):
    return not re.search(r"running_mean|running_var|num_batches|class_counts|^loss\.|_stats", name)


def test_the_training_images(folder):
    data = results(folder)["data"]
    assert re.fullmatch(r"[0-9a-f]{16}", data["fingerprint"])
    assert data["fingerprint"] == checkpoint(folder)["lt_data"]["fingerprint"]
    counts = data["class_counts"]
    assert len(counts) == len(data["class_names"]) == 10
    assert counts == sorted(counts, reverse=True)
    assert sorted(c for members in data["groups"].values() for c in members) == list(range(10))
    assert all(counts[c] < 20 for c in data["groups"]["few"])


@pytest.mark.parametrize("label", ["last", "best"])
def test_the_numbers_follow_from_the_counts_per_class(folder, label):
    content = results(folder)
    found = content["evaluations"][label]
    classes = found["classes"]
    assert found["images"] == sum(row["test_images"] for row in classes) == 596
    assert found["overall"]["acc"] == sum(row["correct"] for row in classes) / 596
    accuracy = [row["correct"] / row["test_images"] for row in classes]
    assert [row["accuracy"] for row in classes] == accuracy
    assert found["overall"]["acc_macro"] == pytest.approx(np.mean(accuracy), rel=1e-12)
    assert found["overall"]["acc_worst"] == min(accuracy)
    for name, members in content["data"]["groups"].items():
        group = found["groups"][name]
        assert group["acc"] == pytest.approx(np.mean([accuracy[c] for c in members]), rel=1e-12)
        assert group["classes"] == len(members)
        assert group["images"] == sum(classes[c]["test_images"] for c in members)
    assert [row["training_images"] for row in classes] == content["data"]["class_counts"]
    assert sum(found["reliability"]["total"]) == 596
    assert sum(found["reliability"]["correct"]) == sum(row["correct"] for row in classes)


def test_how_the_weights_were_chosen(folder):
    found = {name: e["checkpoint"] for name, e in results(folder)["evaluations"].items()}
    (weights,) = {one.pop("weights") for one in found.values()}  # of one epoch they are the same
    assert re.fullmatch("[0-9a-f]{16}", weights)
    assert found["last"] == {"path": None, "epoch": 0, "chosen_by": "last epoch"}
    assert found["best"] == {
        "path": "checkpoints/best.ckpt",
        "epoch": 0,
        "chosen_by": "best val/acc_macro on held-out images",
    }


def test_metrics_csv_has_the_numbers_of_the_last_epoch(folder):
    epoch, test = rows(folder)
    assert {"train/loss", "train/lr", "val/acc", "val/acc_few", "val/ece"} <= set(epoch)
    overall = results(folder)["evaluations"]["last"]["overall"]
    assert test["test/acc"] == pytest.approx(overall["acc"], rel=1e-6)
    assert test["test/ece"] == pytest.approx(overall["ece"], rel=1e-6)
