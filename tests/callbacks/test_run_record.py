import json
import time

import pytest
import torch
from lightning.pytorch import Callback
from lightning.pytorch.demos.boring_classes import BoringDataModule, BoringModel

from lt_lightning.callbacks import LastCheckpoint, RunRecord, read_results
from lt_lightning.engine.digest import digest_of
from lt_lightning.errors import UserError
from lt_lightning.runs.evaluations import chosen_by
from lt_lightning.runs.past import Past

FIGURES = ["accuracy", "confusion", "reliability"]


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


def fit_and_test(make_trainer, record, *more, module, data, **options):
    trainer = make_trainer(record, *more, **options)
    trainer.fit(module, datamodule=data)
    trainer.test(module, datamodule=data, verbose=False)
    return trainer


def test_content(make_trainer, module, data, tmp_path, monkeypatch):
    monkeypatch.setenv("PL_GLOBAL_SEED", "42")
    record = RunRecord()
    record.command = ["lt", "fit", "--config", "configs/bbn.yaml", "--config=a/small.yaml"]
    fit_and_test(make_trainer, record, module=module, data=data)
    content = json.loads((tmp_path / "results.json").read_text())
    assert content == read_results(tmp_path)
    assert content["schema_version"] == 1
    assert content["method"].endswith("ToyModule")
    assert content["config"] == ["bbn.yaml", "small.yaml"]
    assert content["command"] == record.command
    assert content["seeds"] == {"training": 42, "subset": 7}
    assert content["flags"] == {
        "test_seen_during_training": False,
        "oracle": False,
        "self_supervised": False,
    }
    expected = {
        "source": None,
        "added_images": None,
        "unlabelled": None,
        "profile": None,
        "imbalance_ratio": None,
        "achieved_ratio": 50.0,
        "fingerprint": "f00d",
        "class_names": ["cat", "dog", "eel"],
        "class_counts": [300, 120, 6],
        "groups": {"many": [0, 1], "few": [2]},
        "group_rule": "'a rule'",
    }
    assert {name: content["data"][name] for name in expected} == expected
    training = content["training"]
    assert training["epochs"] == 2
    assert training["parameters"] == training["trainable_parameters"] == 4
    assert 0 < training["seconds"] < 60
    assert content["metrics"]["bins"] == 15
    assert content["versions"]["torch"] == torch.__version__.split("+")[0]
    assert content["hardware"]["processes"] == 1
    assert content["hardware"]["precision"] == "32-true"
    assert content["hardware"]["device"]


def test_numbers(make_trainer, module, data, tmp_path):
    fit_and_test(make_trainer, RunRecord(), module=module, data=data)
    last = read_results(tmp_path)["evaluations"]["last"]
    about = {"path": None, "epoch": 1, "chosen_by": "last epoch"}
    assert last["checkpoint"] == {**about, "weights": digest_of(module)}
    assert last["images"] == 6
    assert last["overall"]["acc"] == 4 / 6
    assert last["overall"]["acc_macro"] == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert last["overall"]["acc_worst"] == 0.0
    assert last["overall"]["f1_macro"] == pytest.approx((2 / 3 + 4 / 5 + 0) / 3)
    assert 0 < last["overall"]["auc"] < 1
    assert "acc_top5" not in last["overall"]  # of three classes
    assert last["overall"]["ece"] == pytest.approx(2 / 6)
    assert last["overall"]["mce"] == pytest.approx(2 / 6)
    assert last["overall"]["nll"] == pytest.approx(50 * 2 / 6)
    assert last["groups"] == {
        "many": {"acc": pytest.approx((2 / 3 + 1) / 2), "classes": 2, "images": 5},
        "few": {"acc": 0.0, "classes": 1, "images": 1},
    }
    assert last["classes"] == [
        {"name": "cat", "group": "many", "training_images": 300, "test_images": 3, "correct": 2,
         "accuracy": 2 / 3, "predicted": 3, "precision": 2 / 3, "f1": 2 / 3},
        {"name": "dog", "group": "many", "training_images": 120, "test_images": 2, "correct": 2,
         "accuracy": 1.0, "predicted": 3, "precision": 2 / 3, "f1": 4 / 5},
        {"name": "eel", "group": "few", "training_images": 6, "test_images": 1, "correct": 0,
         "accuracy": 0.0, "predicted": 0, "precision": None, "f1": 0.0},
    ]  # fmt: skip
    assert last["confusion"] == ["0:2 1:1", "1:2", "0:1"]
    assert "weight_norms" not in last  # the toy has no head
    assert last["reliability"]["total"] == [0] * 14 + [6]
    assert last["reliability"]["accuracy"] == [None] * 14 + [4 / 6]
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        *(f"{name}_last.png" for name in FIGURES),
        "results.json",
    ]


def test_what_an_image_costs_is_counted_once(make_trainer, module, data, tmp_path, monkeypatch):
    asked, weight = [], torch.eye(3)

    def predict(images):
        asked.append(len(images))
        return images @ weight

    monkeypatch.setattr(module, "predict_logits", predict)
    record = RunRecord()
    for _ in range(2):
        make_trainer(record).test(module, datamodule=data, verbose=False)
        assert read_results(tmp_path)["training"]["multiply_adds"] == 9
    assert len(asked) == 2 * 6 + 1


def test_class_without_test_images_is_null(make_trainer, module, data, tmp_path, batches):
    data.test_dataloader = lambda: batches([(9 * torch.eye(3)[[0]], torch.tensor([0]))])
    make_trainer(RunRecord()).test(module, datamodule=data, verbose=False)
    last = read_results(tmp_path)["evaluations"]["last"]
    assert [row["accuracy"] for row in last["classes"]] == [1.0, None, None]
    assert list(last["groups"]) == ["many"]
    assert "NaN" not in (tmp_path / "results.json").read_text()


def test_second_evaluation_is_merged(make_trainer, module, data, tmp_path):
    record = RunRecord()
    record.evaluation, record.monitor = "last", "val/acc_macro"
    trainer = fit_and_test(make_trainer, record, module=module, data=data)
    first = read_results(tmp_path)
    trainer.save_checkpoint(tmp_path / "checkpoints" / "best.ckpt")
    record.evaluation = "best"
    trainer.test(
        module, datamodule=data, ckpt_path=tmp_path / "checkpoints" / "best.ckpt", verbose=False
    )
    second = read_results(tmp_path)
    assert second["evaluations"]["last"] == first["evaluations"]["last"]
    best = second["evaluations"]["best"]["checkpoint"]
    assert best["path"] == "checkpoints/best.ckpt"
    assert best["chosen_by"] == "best val/acc_macro on held-out images"
    assert second["training"] == first["training"]
    assert (tmp_path / "accuracy_best.png").is_file()
    assert (tmp_path / "accuracy_last.png").is_file()


def test_a_change_after_training_is_drawn_beside_what_was_before(
    make_trainer, module, data, tmp_path
):
    record = RunRecord()
    trainer = fit_and_test(make_trainer, record, module=module, data=data)
    own = ["accuracy", "reliability", "confusion"]
    assert list(record.pictures) == own
    for name, content in record.pictures.items():
        assert (tmp_path / f"{name}_last.png").read_bytes() == content
    record.evaluation, record.fitted_on = "last+tau_norm_0.5", "held-out"
    record.tau_curve, record.fitted = {0.0: 0.25, 0.5: 0.75}, {"tau": 0.5}
    trainer.test(module, datamodule=data, verbose=False)
    chosen_by = read_results(tmp_path)["evaluations"]["last+tau_norm_0.5"]["checkpoint"][
        "chosen_by"
    ]
    assert chosen_by == "last epoch, then tau_norm_0.5, fitted on held-out images"
    for name in ("tau_curve_last+tau_norm_0.5", "reliability_side_by_side"):
        assert (tmp_path / f"{name}.png").is_file(), name
    assert list(record.pictures) == [*own, "tau_curve", "reliability_side_by_side"]


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


def test_fast_dev_run_writes_nothing(make_trainer, module, data, tmp_path):
    data.validate = True  # a trial validates whatever limit_val_batches says
    fit_and_test(make_trainer, RunRecord(), module=module, data=data, fast_dev_run=True)
    assert list(tmp_path.iterdir()) == []


def test_other_processes_write_nothing(make_trainer, module, data, tmp_path, monkeypatch):
    trainer = make_trainer(RunRecord())
    monkeypatch.setattr(type(trainer), "is_global_zero", False)
    trainer.test(module, datamodule=data, verbose=False)
    assert list(tmp_path.iterdir()) == []


def test_results_of_another_run_are_refused(make_trainer, module, data, tmp_path):
    make_trainer(RunRecord()).test(module, datamodule=data, verbose=False)
    before = (tmp_path / "results.json").read_text()
    data.fingerprint = "beef"
    trainer = make_trainer(RunRecord())
    for action in (trainer.fit, trainer.test):
        with pytest.raises(UserError, match="fingerprint is f00d, not beef"):
            action(module, datamodule=data)
    assert (tmp_path / "results.json").read_text() == before


def test_damaged_results_are_refused_before_the_test(make_trainer, module, data, tmp_path):
    (tmp_path / "results.json").write_text('{"schema_version": 1, "met')
    module.test_step = lambda *_: pytest.fail("tested all the same")
    with pytest.raises(UserError, match="damaged"):
        make_trainer(RunRecord()).test(module, datamodule=data, verbose=False)


def test_data_of_another_kind(make_trainer, module, data):
    with pytest.raises(UserError, match="RunRecord knows no classes of the data module BoringData"):
        make_trainer(RunRecord()).test(module, datamodule=BoringDataModule(), verbose=False)
    with pytest.raises(UserError, match="data module NoneType"):
        make_trainer(RunRecord()).test(module, data.test_dataloader(), verbose=False)


def test_module_of_another_kind(make_trainer, data):
    with pytest.raises(UserError, match="no counts of a test in BoringModel: use a LongTail"):
        make_trainer(RunRecord()).fit(BoringModel(), datamodule=data)


def test_no_test_images(make_trainer, module, data, tmp_path, batches):
    empty = (torch.zeros(0, 3), torch.zeros(0, dtype=torch.int64))
    data.test_dataloader = lambda: batches([empty])
    make_trainer(RunRecord()).test(module, datamodule=data, verbose=False)
    last = read_results(tmp_path)["evaluations"]["last"]
    assert last["images"] == 0
    assert last["overall"] == last["groups"] == {}


@pytest.mark.parametrize(("limit", "images"), [(1, 1), (0.5, 3), (1.0, 6), (9, 6)])
def test_a_test_of_some_images_says_so(make_trainer, module, data, tmp_path, limit, images):
    make_trainer(RunRecord(), limit_test_batches=limit).test(module, datamodule=data, verbose=False)
    name = "last" if images == 6 else f"last@{images}_images"
    last = read_results(tmp_path)["evaluations"][name]
    assert last["images"] == images
    assert last.get("part_of_test", False) == (images < 6)
