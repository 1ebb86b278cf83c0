"""What results.json tells of how its weights came to be."""

import time

import pytest
import torch
from lightning.pytorch import Callback
from recorded import fit_and_test

from lt_lightning.callbacks import LastCheckpoint, RunRecord, read_results
from lt_lightning.runs.evaluations import chosen_by
from lt_lightning.runs.past import Past


@pytest.fixture(autouse=True)
def blank_figures(monkeypatch):
    """Leave the drawing to test_figures.py and test_run_folder_files.py; it takes seconds."""
    monkeypatch.setattr("lt_lightning.figures.png.to_png", lambda figure: b"a figure")


class Saved(Callback):
    """Saves a checkpoint behind the first epoch."""

    def __init__(self, file):
        self.file = file

    def on_train_epoch_end(self, trainer, pl_module):
        if trainer.current_epoch == 0:
            trainer.save_checkpoint(self.file)


class Stops(Callback):
    """Stops the training behind the first epoch."""

    def __init__(self, stop):
        self.stop = stop

    def on_train_epoch_end(self, trainer, pl_module):
        trainer.should_stop = trainer.should_stop or self.stop


def test_test_in_a_new_process_keeps_the_training(
    make_trainer, toy_module, toy_data, tmp_path, monkeypatch
):
    record = RunRecord()
    record.monitor = "val/acc"
    trainer = fit_and_test(make_trainer, record, module=toy_module(), data=toy_data())
    checkpoint = tmp_path / "best.ckpt"
    trainer.save_checkpoint(checkpoint)
    before = read_results(tmp_path)
    monkeypatch.setenv("PL_GLOBAL_SEED", "99")
    make_trainer(RunRecord()).test(
        toy_module(), datamodule=toy_data(), ckpt_path=checkpoint, verbose=False
    )
    after = read_results(tmp_path)
    evaluations = after.pop("evaluations")
    assert evaluations.pop("best")["checkpoint"]["path"] == "best.ckpt"
    assert evaluations == before.pop("evaluations")
    assert after == before


def test_test_of_a_run_without_results(make_trainer, toy_module, toy_data, tmp_path):
    trainer = make_trainer(RunRecord())
    trainer.fit(toy_module(), datamodule=toy_data())
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    make_trainer(RunRecord()).test(
        toy_module(), datamodule=toy_data(), ckpt_path=tmp_path / "last.ckpt", verbose=False
    )
    content = read_results(tmp_path)
    assert content["evaluations"]["last"]["checkpoint"]["path"] == "last.ckpt"
    assert content["training"]["seconds"] > 0


def test_training_again_drops_the_old_evaluations(make_trainer, toy_module, toy_data, tmp_path):
    record = RunRecord()
    record.evaluation = "best"
    fit_and_test(make_trainer, record, module=toy_module(), data=toy_data())
    record = RunRecord()
    record.evaluation = "last"
    fit_and_test(make_trainer, record, module=toy_module(), data=toy_data(), max_epochs=1)
    content = read_results(tmp_path)
    assert list(content["evaluations"]) == ["last"]
    assert content["training"]["epochs"] == 1


@pytest.mark.parametrize(
    ("monitor_test", "evaluation", "expected"),
    [
        pytest.param(False, "last", "last epoch", marks=pytest.mark.slow),
        (True, "last", "last epoch"),
        (False, "best", "best val/nll on held-out images"),
        (True, "best", "best val/nll on TEST images"),
        (False, "epoch=3", "named by the user"),
    ],
)
def test_chosen_by(make_trainer, module, data, tmp_path, monitor_test, evaluation, expected):
    data.monitor_test = monitor_test
    module.oracle = True
    record = RunRecord(str(tmp_path / "run"))
    record.evaluation, record.monitor = evaluation, "val/nll"
    make_trainer(record).test(module, datamodule=data, verbose=False)
    content = read_results(tmp_path / "run")
    assert content["evaluations"][evaluation]["checkpoint"]["chosen_by"] == expected
    flags = {"test_seen_during_training": monitor_test, "oracle": True}
    assert content["flags"] == {**flags, "self_supervised": False}


def kept(trainer, file, **record):
    """Save a checkpoint that tells `record` of its past."""
    trainer.save_checkpoint(file)
    content = torch.load(file, weights_only=True)
    told = {"test_seen_during_training": False, "oracle": False}
    content["lt_record"] = {**content.get("lt_record", {}), **told, **record}
    torch.save(content, file)
    return file


def test_the_checkpoint_tells_its_past_and_not_the_test(
    make_trainer, toy_module, toy_data, tmp_path
):
    trainer = fit_and_test(make_trainer, RunRecord(), module=toy_module(), data=toy_data())
    record = {"test_seen_during_training": True, "chosen_by": "best val/nll on TEST images"}
    for seen in (True, False):  # data.monitor_test of the test says nothing of the training
        data = toy_data()
        data.monitor_test = not seen
        file = kept(trainer, tmp_path / f"{seen}.ckpt", **(record if seen else {}))
        again = RunRecord(str(tmp_path / str(seen)))
        make_trainer(again).test(toy_module(), datamodule=data, ckpt_path=file, verbose=False)
        content = read_results(tmp_path / str(seen))
        assert content["flags"]["test_seen_during_training"] is seen
        told = content["evaluations"][str(seen)]["checkpoint"]["chosen_by"]
        assert told == (record["chosen_by"] if seen else "named by the user")


def test_a_record_made_again_is_that_of_the_training(
    make_trainer, toy_module, toy_data, tmp_path, monkeypatch
):
    monkeypatch.setenv("PL_GLOBAL_SEED", "42")
    record, data = RunRecord(), toy_data()
    record.command, data.monitor_test = ["lt", "fit", "--config", "bbn.yaml"], True
    data.unlabelled_facts = {"images": 3}
    saved = tmp_path / "checkpoints"
    parts = (record, LastCheckpoint(saved), Saved(saved / "early.ckpt"))
    module = toy_module()
    module.on_save_checkpoint = Past(test_seen=True).keep  # as a LongTailModule does
    fit_and_test(make_trainer, *parts, module=module, data=data, precision="bf16-mixed")
    # The toy keeps no options, which the reader asks for.
    monkeypatch.setattr("lt_lightning.callbacks.tested_checkpoint.read", torch.load)
    before = read_results(tmp_path)
    for name in ("early", "last"):  # which is of the first epoch, and of the second
        (tmp_path / "results.json").unlink()
        monkeypatch.setenv("PL_GLOBAL_SEED", "7")
        again = RunRecord()
        again.command = ["lt", "test"]
        trainer = make_trainer(again, max_epochs=9)
        trainer.test(
            toy_module(), datamodule=toy_data(), ckpt_path=saved / f"{name}.ckpt", verbose=False
        )
        after = read_results(tmp_path)
        assert after["evaluations"][name]["command"] == ["lt", "test"]
        for content in (before, after):  # from the last step on, and no more than was saved
            content.pop("evaluations", None)
            content["training"].pop("seconds", None)
            content["training"].pop("save_seconds", None)
        assert after == before
        assert after["training"]["ended"]
        assert after["hardware"]["precision"] == "bf16-mixed"


def test_an_early_stop_is_an_end_and_a_checkpoint_on_the_way_is_none(
    make_trainer, toy_module, toy_data, tmp_path
):
    for stop in (True, False):
        saved = tmp_path / str(stop) / "checkpoints"
        parts = (RunRecord(), Stops(stop), Saved(saved / "last.ckpt"))
        make_trainer(*parts, max_epochs=5).fit(toy_module(), datamodule=toy_data())
        record = RunRecord(str(saved.parent))
        make_trainer(record).test(
            toy_module(), datamodule=toy_data(), ckpt_path=saved / "last.ckpt", verbose=False
        )
        training = read_results(saved.parent)["training"]
        assert (training["epochs"], training["planned_epochs"]) == (1, 5)
        assert training.get("ended") is (True if stop else None)


@pytest.mark.parametrize(
    ("evaluation", "past", "expected"),
    [
        ("last", {}, "last epoch, built on best val/nll on TEST images"),
        ("stage1", {"chosen_by": "best val/acc on TEST images"},
         "end of stage 1, best val/acc on TEST images, built on best val/nll on TEST images"),
        ("best+tau", {"chosen_by": "best val/acc on held-out images"},
         "best val/acc on held-out images, built on best val/nll on TEST images, then tau"),
    ],
)  # fmt: skip
def test_what_weights_are_built_on_is_told(evaluation, past, expected):
    built = Past(built_on="best val/nll on TEST images", **past)
    assert chosen_by(*evaluation.partition("+")[::2], "unknown", None, built) == expected


def test_what_a_module_is_built_on_is_in_the_flags(make_trainer, module, data, tmp_path):
    module.past = Past(test_seen=True, oracle=True, built_on="best val/nll on TEST images")
    fit_and_test(make_trainer, RunRecord(), module=module, data=data)
    content = read_results(tmp_path)
    expected = {"test_seen_during_training": True, "oracle": True, "self_supervised": False}
    assert content["flags"] == expected
    told = content["evaluations"]["last"]["checkpoint"]["chosen_by"]
    assert told == "last epoch, built on best val/nll on TEST images"


def test_monitor_of_a_checkpoint_callback(make_trainer, module, data, tmp_path):
    from lt_lightning.callbacks import BestCheckpoint

    record = RunRecord()
    record.evaluation = "best"
    best = BestCheckpoint(tmp_path, monitor="val/acc_few")
    trainer = make_trainer(record, best)
    trainer.test(module, datamodule=data, verbose=False)
    chosen = read_results(tmp_path)["evaluations"]["best"]["checkpoint"]["chosen_by"]
    assert chosen == "best val/acc_few on held-out images"


def test_seconds_go_on_after_a_resume(make_trainer, toy_module, toy_data, tmp_path, monkeypatch):
    clock = iter(range(0, 10_000, 10))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    record = RunRecord()
    record.on_train_start(None, None)
    assert record.state_dict() == {"seconds": 10.0}  # saved while training
    saved = record.state_dict()
    assert saved == {"seconds": 20.0}
    assert type(saved["seconds"]) is float
    again = RunRecord()
    again.load_state_dict(saved)
    again.on_train_start(None, None)
    again.on_train_end(None, None)
    assert again.state_dict() == {"seconds": 30.0}


def test_checkpoint_of_a_test_does_not_set_back_the_clock(make_trainer, module, data, tmp_path):
    record = RunRecord()
    trainer = make_trainer(record)
    trainer.fit(module, datamodule=data)
    seconds = record.state_dict()
    record.load_state_dict({"seconds": 1e-9})
    assert record.state_dict() == seconds
