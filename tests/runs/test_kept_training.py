"""What is known of a training where a later test makes its results.json."""

import json

import pytest
import yaml

from lt_lightning.runs.about import with_training
from lt_lightning.runs.checkpoint import TRAINED_EPOCHS
from lt_lightning.runs.kept_training import keep, kept_in
from lt_lightning.runs.results_check import is_part

TOLD = {
    "config": ["bbn.yaml"],
    "command": ["lt", "fit", "--config", "bbn.yaml"],
    "seeds": {"training": 3, "subset": 0},
    "data": {"source": "Digits", "unlabelled": {"images": 5}},
    "training": {"seconds": 2.0, "planned_epochs": 4, "ended": True},
    "versions": {"torch": "2.9.0"},
    "hardware": {"device": "A chip", "precision": "bf16-mixed"},
}


def earlier(epochs=2, steps=9):
    """Return what a checkpoint of an earlier version tells."""
    return {
        TRAINED_EPOCHS: epochs,
        "global_step": steps,
        "pytorch-lightning_version": "2.5.0",
        "callbacks": {"RunRecord": {"seconds": 7.0}},
    }


def folder(path, **config):
    (path / "checkpoints").mkdir()
    (path / "config.yaml").write_text(yaml.safe_dump(config))
    return path / "checkpoints" / "last.ckpt"


def test_what_is_kept_lies_over_what_a_test_says(tmp_path):
    checkpoint = earlier()
    keep(checkpoint, TOLD)
    assert kept_in(checkpoint, folder(tmp_path, seed_everything=9)) == TOLD
    of_test = {
        "method": "m",
        "command": ["lt", "test"],
        "data": {"source": "CIFAR10", "fingerprint": "f00d", "unlabelled": None},
        "training": {"seconds": None, "epochs": 2},
        "hardware": {"precision": "32-true"},
    }
    found = with_training(of_test, TOLD)
    assert {key: found[key] for key in TOLD if key not in ("data", "training")} == {
        key: TOLD[key] for key in TOLD if key not in ("data", "training")
    }
    assert found["method"] == "m"
    assert found["data"] == {**of_test["data"], **TOLD["data"]}
    assert found["training"] == {**of_test["training"], **TOLD["training"]}


def test_of_an_earlier_version_the_folder_tells(tmp_path):
    trainer = {"max_epochs": 2, "max_steps": -1, "precision": "bf16-mixed"}
    data = {"subset_seed": 5}
    file = folder(tmp_path, seed_everything=3, trainer=trainer, data=data)
    command = ["lt", "fit", "--config", "x/bbn.yaml"]
    (tmp_path / "command.json").write_text(json.dumps({"command": command}))
    assert kept_in(earlier(), file) == {
        "config": ["bbn.yaml"],
        "command": command,
        "seeds": {"training": 3, "subset": 5},
        "training": {"seconds": 7.0, "planned_epochs": 2, "ended": True},
        "versions": {"lightning": "2.5.0"},
        "hardware": {"precision": "bf16-mixed"},
    }
    trainer["max_epochs"] = 3  # the run was trained on, and is not yet there
    (tmp_path / "config-resumed-1.yaml").write_text(yaml.safe_dump({"trainer": trainer}))
    assert kept_in(earlier(), file)["training"] == {"seconds": 7.0, "planned_epochs": 3}


def test_nothing_is_known_without_a_run_folder(tmp_path):
    assert kept_in(earlier(), None) == kept_in(earlier(), tmp_path / "x.ckpt") == {}
    assert kept_in(earlier(), tmp_path / "checkpoints" / "last.ckpt") == {}


def test_a_damaged_config_is_no_crash(tmp_path):
    file = folder(tmp_path, seed_everything=True, trainer=3, data=None)
    found = kept_in(earlier(), file)
    assert found["seeds"] == {"training": None, "subset": None}
    assert is_part(found)


@pytest.mark.parametrize(
    "more",
    [
        {"evaluations": {}},
        {"command": "lt fit"},
        {"data": [1]},
        {"data": {"unlabelled": 3}},
        {"seeds": {"training": "x"}},
        {"training": {"planned_epochs": "x"}},
        {"hardware": {"device": {}}},
    ],
)
def test_what_is_no_part_of_a_record(more):
    assert is_part(TOLD)
    assert not is_part({**TOLD, **more})
