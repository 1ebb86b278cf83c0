import json

import pytest
import torch
from lightning.pytorch.demos.boring_classes import BoringDataModule, BoringModel
from recorded import fit_and_test

from lt_lightning.callbacks import RunRecord, read_results
from lt_lightning.engine.digest import digest_of
from lt_lightning.errors import UserError

FIGURES = ["accuracy", "confusion", "reliability"]


@pytest.fixture(autouse=True)
def blank_figures(monkeypatch):
    """Leave the drawing to test_figures.py and test_run_folder_files.py; it takes seconds."""
    monkeypatch.setattr("lt_lightning.figures.png.to_png", lambda figure: b"a figure")


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
