"""`lt test` of a run that was cut: what it records of the training is what there was of it."""

import json

import pytest
from lt_runs import in_process, tiny

from lt_lightning.export.card import _made

TOLD = ("epochs", "planned_epochs", "steps")


def training(folder):
    told = json.loads((folder / "results.json").read_text())["training"]
    return {name: told[name] for name in TOLD}


@pytest.fixture
def cut(tmp_path, monkeypatch):
    """Return the folder of a run that was cut in its second epoch, whose record was removed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lt_lightning.callbacks.RunRecord._draw", lambda *_: None)
    given = tiny("ce", "--trainer.max_steps", "13", "--data.holdout.fraction", "0.2")
    answer = in_process([*given, "--name", "run", "--version", "a"])
    assert answer.status == 0, answer.err
    folder = tmp_path / "runs" / "run" / "a"
    by_fit = training(folder)
    (folder / "results.json").unlink()
    return folder, by_fit


def test_a_run_that_was_cut_in_an_epoch_is_told_to_be(cut):
    """Trap: the epoch that was begun was counted, and of how many there are was not told."""
    folder, by_fit = cut
    answer = in_process(["test", str(folder)])
    assert answer.status == 0, answer.err
    assert training(folder) == by_fit == {"epochs": 1, "planned_epochs": 3, "steps": 13}
    assert "1 of 3, 13 steps: the training was cut" in answer.err + answer.out


def test_a_change_of_it_tells_the_same(cut):
    """Trap: the weights were loaded on another way, and of the training nothing was told."""
    folder, by_fit = cut
    answer = in_process(["test", str(folder), "--post_hoc", "NearestMean"])
    assert answer.status == 0, answer.err
    assert training(folder) == by_fit


def test_the_best_checkpoint_tells_of_the_epochs_that_it_has(cut):
    """Trap: it is written before Lightning counts its epoch, whose batches are all trained."""
    folder, _ = cut
    answer = in_process(["test", str(folder), "--best"])
    assert answer.status == 0, answer.err
    told = training(folder)
    assert told["steps"] == 8  # 264 images make eight batches of 32
    assert (told["epochs"], told["planned_epochs"]) == (1, 3)


def test_its_model_card_tells_of_how_many_epochs():
    training = {"epochs": 1, "planned_epochs": 3, "steps": 13}
    assert "- Epochs: 1 of 3, 13 steps." in _made({"training": training})
    assert "- Epochs: 3." in _made({"training": {**training, "epochs": 3}})
