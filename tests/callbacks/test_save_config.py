"""config.yaml is what ran, and starts the same run again."""

from types import SimpleNamespace

import pytest
import yaml
from jsonargparse import Namespace
from lt_runs import assert_same_end, in_process, tiny

from lt_lightning.callbacks import SaveConfig
from lt_lightning.runs.config import began_with, ended_with


class Parser:
    """Writes a config as it is."""

    def dump(self, config, skip_none):
        assert not skip_none
        return yaml.safe_dump(config.as_dict())


def save(folder, **config):
    given = Namespace(**{"name": "run", "version": "0", "ckpt_path": None, **config})
    callback, trainer = SaveConfig(Parser(), given, folder), SimpleNamespace(is_global_zero=True)
    callback.save_config(trainer, None, "fit")
    callback.on_train_start(trainer, None)
    callback.on_fit_end(trainer, None)
    return given


def test_version_and_checkpoint_are_left_out(tmp_path):
    """Trap: a config that names its own run folder can never be used again."""
    given = save(tmp_path / "run", ckpt_path="a.ckpt", lr=0.1)
    assert (given.version, given.ckpt_path) == ("0", "a.ckpt")
    assert yaml.safe_load((tmp_path / "run" / "config.yaml").read_text()) == {
        "name": "run",
        "version": None,
        "ckpt_path": None,
        "lr": 0.1,
    }


def test_a_resumed_run_keeps_the_config_it_began_with(tmp_path):
    """Trap: Lightning's callback refuses a folder with a config, so no run could be resumed."""
    save(tmp_path, lr=0.1)
    save(tmp_path, lr=0.1, ckpt_path="last.ckpt")
    assert [p.name for p in tmp_path.iterdir()] == ["config.yaml"]
    save(tmp_path, lr=0.2)
    save(tmp_path, lr=0.2)
    save(tmp_path, lr=0.3)
    assert ended_with(tmp_path)["lr"] == 0.3
    save(tmp_path, lr=0.2)  # as before, and still what the run ended with
    assert ended_with(tmp_path)["lr"] == 0.2
    assert began_with(tmp_path)["lr"] == 0.1
    rates = {p.name: yaml.safe_load(p.read_text())["lr"] for p in tmp_path.iterdir()}
    assert rates == {
        "config.yaml": 0.1,
        "config-resumed-1.yaml": 0.2,
        "config-resumed-2.yaml": 0.3,
        "config-resumed-3.yaml": 0.2,
    }


def test_a_run_that_is_refused_as_it_goes_on_has_no_config_of_it(tmp_path):
    """Trap: it was written before the checkpoint was looked into, as if that had been trained."""
    save(tmp_path, lr=0.1)
    given = Namespace(version="0", ckpt_path="last.ckpt", lr=0.2)
    SaveConfig(Parser(), given, tmp_path).save_config(None, None, "fit")
    assert [p.name for p in tmp_path.iterdir()] == ["config.yaml"]
    second = SaveConfig(Parser(), given, tmp_path)
    second.on_train_start(SimpleNamespace(is_global_zero=False), None)
    assert [p.name for p in tmp_path.iterdir()] == ["config.yaml"]
    second.on_fit_end(SimpleNamespace(is_global_zero=True), None)  # nothing was left to train
    assert ended_with(tmp_path)["lr"] == 0.2


def test_the_tenth_config_comes_after_the_ninth(tmp_path):
    for place in range(12):
        save(tmp_path, lr=float(place))
    assert ended_with(tmp_path)["lr"] == 11.0


@pytest.mark.parametrize("stage", ["validate", "test", "predict"])
def test_only_training_writes_it(tmp_path, stage):
    SaveConfig(Parser(), Namespace(), tmp_path / "run").save_config(None, None, stage)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_the_saved_config_starts_the_same_run_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lt_lightning.callbacks.RunRecord._draw", lambda *_: None)
    one_epoch = ("--trainer.max_epochs", "1", "--model.lr_schedule.warmup_epochs", "0")
    first = in_process(tiny("bbn", *one_epoch, "--seed_everything", "7", "--name", "run"))
    assert first.status == 0, first.err
    again = in_process(["fit", "--config", "runs/run/0/config.yaml"])
    assert again.status == 0, again.err
    assert_same_end("runs/run/0", "runs/run/1")
    assert (tmp_path / "runs/run/0/config.yaml").read_text() == (
        tmp_path / "runs/run/1/config.yaml"
    ).read_text()
