"""The log and the progress bar say which stage is running."""

import logging
from types import SimpleNamespace

import pytest
from two_stage_kit import Saves, build_data, fit, tiny, two_stage

from lt_lightning.callbacks.progress import StageBar
from lt_lightning.methods import ERM, Decoupled


def told(caplog):
    return [line for line in caplog.messages if line.startswith("stage ")]


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.INFO, logger="lt_lightning")
    return caplog


def test_the_log_says_both_stages_and_where_a_run_goes_on(log, tmp_path):
    both = ["stage 1 of 2: epochs 1 to 2", "stage 2 of 2: epochs 3 to 4"]
    fit(two_stage(Decoupled), 4, tmp_path, callbacks=[Saves(tmp_path)])
    assert told(log) == both
    for stopped, lines in (("middle-0", both), ("end-1", both[1:]), ("middle-2", both[1:])):
        log.clear()
        fit(two_stage(Decoupled), 4, tmp_path, ckpt_path=tmp_path / f"{stopped}.ckpt")
        assert told(log) == lines, stopped


def test_a_skipped_stage_1_is_said_too(log, tmp_path):
    def stage1(data):
        return ERM(class_counts=data.class_counts.tolist(), backbone=tiny)

    fit(stage1, 1, tmp_path, data=build_data(staged=False), callbacks=[Saves(tmp_path)])
    assert told(log) == []
    fit(two_stage(Decoupled, stage1_ckpt=str(tmp_path / "end-0.ckpt")), 2, tmp_path)
    assert told(log) == ["stage 2 of 2: epochs 1 to 2"]
    assert "took all 42 tensors of the backbone and all 2 of the classifier" in log.text


def test_the_bar_shows_the_stage_of_the_epoch():
    data = build_data()
    staged, plain = two_stage(Decoupled)(data), ERM(class_counts=data.class_counts.tolist())
    for epoch, stage in ((0, "1 of 2"), (1, "1 of 2"), (2, "2 of 2")):
        trainer = SimpleNamespace(current_epoch=epoch, loggers=[], progress_bar_metrics={"a": 1.0})
        assert StageBar().get_metrics(trainer, staged) == {"stage": stage, "a": 1.0}
    assert StageBar().get_metrics(trainer, plain) == {"a": 1.0}
