"""`lt test` of a run that was cut: what it records of the training is what there was of it."""

import json
import os
import signal
import time

import pytest
import torch
from lightning.pytorch import Callback
from lt_runs import in_process, tiny

from lt_lightning.export.card import _made
from lt_lightning.runs.results import read_results

TOLD = ("epochs", "planned_epochs", "steps")


class Early(Callback):
    """Ends a training after its first epoch, as EarlyStopping does."""

    def on_train_epoch_end(self, trainer, pl_module):
        trainer.should_stop = True


class Slow(Callback):
    """Takes more than a second for the first step."""

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        time.sleep(1.2 if trainer.global_step == 0 else 0)


class Interrupted(Callback):
    """Is Ctrl-C in the second step."""

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        if trainer.global_step == 1:
            os.kill(os.getpid(), signal.SIGINT)


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


def test_only_what_ended_by_itself_is_told_to_have(cut, monkeypatch):
    """A run that a signal cut has a checkpoint, and can be tested, but has more to do."""
    folder, _ = cut
    assert in_process(["test", str(folder)]).status == 0
    assert json.loads((folder / "results.json").read_text())["training"]["ended"] is True
    (folder / "results.json").unlink()
    last = folder / "checkpoints" / "last.ckpt"
    content = torch.load(last, weights_only=True)
    del content["lt_record"]  # as of an earlier version, of which the config tells
    torch.save(content, last)
    config = folder / "config.yaml"
    config.write_text(config.read_text().replace("max_steps: 13", "max_steps: 20"))
    assert in_process(["test", str(folder)]).status == 0
    assert "ended" not in json.loads((folder / "results.json").read_text())["training"]


@pytest.mark.parametrize(
    "given",
    [
        (
            *("--trainer.max_time", "00:00:00:01"),
            *("--trainer.callbacks+", "tests.cli.test_cut_training.Slow"),
        ),
        ("--trainer.callbacks+", "tests.cli.test_cut_training.Early"),
        ("--trainer.max_steps", "5"),
        (),
    ],
)
def test_a_training_that_ends_by_itself_says_so(tmp_path, monkeypatch, given):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lt_lightning.callbacks.RunRecord._draw", lambda *_: None)
    answer = in_process([*tiny("ce", *given), "--name", "run", "--version", "a"])
    assert answer.status == 0, answer.err
    folder = tmp_path / "runs" / "run" / "a"
    told = read_results(folder)["training"]
    assert told["ended"] is True
    assert (told["epochs"] < told["planned_epochs"]) is bool(given)
    (folder / "results.json").unlink()
    assert in_process(["test", str(folder)]).status == 0
    assert read_results(folder)["training"]["ended"] is True
    assert training(folder) == {name: told[name] for name in TOLD}


def test_a_training_that_a_signal_cuts_does_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lt_lightning.callbacks.RunRecord._draw", lambda *_: None)
    folder = tmp_path / "runs" / "run" / "a"
    stop = ("--trainer.callbacks+", "tests.cli.test_cut_training.Interrupted")
    answer = in_process([*tiny("ce", *stop), "--name", "run", "--version", "a"])
    assert answer.status == 128 + signal.SIGINT
    assert not (folder / "results.json").exists()
    answer = in_process(["test", str(folder)])
    assert answer.status == 0, answer.err
    assert "ended" not in read_results(folder)["training"]


def test_a_change_of_it_tells_the_same(cut):
    """Trap: the weights were loaded on another way, and of the training nothing was told."""
    folder, by_fit = cut
    answer = in_process(["test", str(folder), "--post_hoc", "NearestMean"])
    assert answer.status == 0, answer.err
    assert training(folder) == by_fit


def test_the_best_checkpoint_tells_of_the_epochs_that_it_has(cut):
    """Trap: it is written before Lightning counts its epoch, whose batches are all trained."""
    folder, _ = cut
    (folder / "checkpoints" / "last.ckpt").rename(folder / "gone.ckpt")
    answer = in_process(["test", str(folder), "--best"])
    assert answer.status == 0, answer.err
    told = training(folder)
    assert told["steps"] == 8  # 264 images make eight batches of 32
    assert (told["epochs"], told["planned_epochs"]) == (1, 3)


def test_a_test_of_the_best_tells_of_all_the_training(cut):
    folder, by_fit = cut
    assert in_process(["test", str(folder), "--best"]).status == 0
    assert training(folder) == by_fit


def test_its_model_card_tells_of_how_many_epochs():
    training = {"epochs": 1, "planned_epochs": 3, "steps": 13}
    assert "- Epochs: 1 of 3, 13 steps." in _made({"training": training})
    assert "- Epochs: 3." in _made({"training": {**training, "epochs": 3}})
