import csv
import errno

import pytest
from lightning.pytorch.utilities import rank_zero_only

from lt_lightning.callbacks import EpochLines, LastCheckpoint, RunLogger
from lt_lightning.errors import UserError
from lt_lightning.runs import files


def rows(folder):
    with (folder / "metrics.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def column(folder, name):
    return [float(row[name]) if row[name] else None for row in rows(folder)]


def test_all_metrics_of_a_step_stand_in_one_row(tmp_path):
    logger = RunLogger(tmp_path / "name" / "7")
    logger.log_metrics({"val/acc": 0.5, "epoch": 0}, 9)
    logger.log_metrics({"train/loss": 2.0, "epoch": 0}, 9)
    logger.log_metrics({"train/loss": 1.0, "epoch": 1}, 19)
    assert (logger.name, logger.version) == ("name", "7")
    assert (logger.folder / "metrics.csv").read_text().splitlines() == [
        "epoch,step,train/loss,val/acc",
        "0.0,9.0,2.0,0.5",
        "1.0,19.0,1.0,",
    ]


def test_one_row_per_epoch_of_a_real_run(make_trainer, module, toy_data, tmp_path):
    """Trap: CSVLogger writes the validation and the training of an epoch into two rows."""
    trainer = make_trainer(EpochLines(), logger=RunLogger(tmp_path), limit_val_batches=1.0)
    trainer.fit(module, datamodule=toy_data(validate=True))
    assert column(tmp_path, "epoch") == [0, 1]
    assert column(tmp_path, "train/loss") == [2.0, 2.0]
    assert column(tmp_path, "val/acc") == [0.25, 0.5]


def test_a_resumed_run_keeps_its_rows_without_doubling(
    make_trainer, toy_module, toy_data, tmp_path
):
    """Trap: CSVLogger deletes the metrics.csv of a run that is resumed in its folder."""

    def fit(epochs, resumed_step=None, **options):
        logger = RunLogger(tmp_path, resumed_step)
        trainer = make_trainer(LastCheckpoint(tmp_path), logger=logger, max_epochs=epochs)
        trainer.fit(toy_module(), datamodule=toy_data(), **options)

    fit(2)
    (tmp_path / "last.ckpt").rename(tmp_path / "two.ckpt")
    fit(3, 6, ckpt_path=tmp_path / "two.ckpt", weights_only=True)
    # Killed in the fourth epoch, behind the checkpoint of the second:
    fit(4, 6, ckpt_path=tmp_path / "two.ckpt", weights_only=True)
    assert column(tmp_path, "epoch") == [0, 1, 2, 3]
    assert column(tmp_path, "step") == [2, 5, 8, 11]


def test_a_new_run_does_not_take_over_old_rows(tmp_path):
    RunLogger(tmp_path).log_metrics({"train/loss": 1.0}, 3)
    assert RunLogger(tmp_path).rows == []
    assert RunLogger(tmp_path, 4).rows == [{"step": 3.0, "train/loss": 1.0}]
    assert RunLogger(tmp_path, 3).rows == []


def test_validations_in_a_cut_epoch_stay_and_its_means_come_again(tmp_path):
    """Trap: with val_check_interval the rows before the cut were lost."""
    logger = RunLogger(tmp_path)
    logger.log_metrics({"train/loss": 2.0, "val/acc": 0.1, "epoch": 0}, 8)
    logger.log_metrics({"val/acc": 0.2, "epoch": 1}, 11)
    logger.log_metrics({"val/acc": 0.3, "train/loss": 1.0, "epoch": 1}, 13)
    logger.log_metrics({"train/loss": 0.5, "epoch": 1}, 14)
    whole = {"epoch": 0.0, "step": 8.0, "train/loss": 2.0, "val/acc": 0.1}
    middle = [{"epoch": 1.0, "step": 11.0, "val/acc": 0.2}]
    middle += [{"epoch": 1.0, "step": 13.0, "val/acc": 0.3}]
    assert RunLogger(tmp_path, 15, 1).rows == [whole, *middle]
    assert RunLogger(tmp_path, 13, 1).rows == [whole, *middle[:1]]


def test_rows_of_a_run_that_went_further_are_dropped(tmp_path):
    logger = RunLogger(tmp_path)
    for step in (2, 5, 8):
        logger.log_metrics({"train/loss": float(step)}, step)
    logger.log_metrics({"train/loss": 4.0}, 4)
    assert column(tmp_path, "step") == [2, 4]


def test_the_test_of_the_last_epoch_is_not_overwritten(tmp_path):
    """Trap: the test of best.ckpt comes at the same step as that of the last epoch."""
    logger = RunLogger(tmp_path)
    logger.log_metrics({"test/acc": 0.7, "epoch": 2}, 9)
    logger.log_metrics({"test/acc": 0.8, "epoch": 2}, 9)
    assert column(tmp_path, "test/acc") == [0.7]


def test_numbers_survive_the_file_to_the_last_digit(tmp_path):
    value = 0.1 + 0.2
    RunLogger(tmp_path).log_metrics({"train/loss": value}, 3)
    assert RunLogger(tmp_path, 4).rows == [{"step": 3.0, "train/loss": value}]


def test_a_full_disk_keeps_the_rows_before(tmp_path, monkeypatch):
    logger = RunLogger(tmp_path)
    logger.log_metrics({"train/loss": 1.0}, 3)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "replace", full)
    with pytest.raises(UserError, match=r"metrics.csv could not be written \(No space left"):
        logger.log_metrics({"train/loss": 2.0}, 6)
    assert [p.name for p in tmp_path.iterdir()] == ["metrics.csv"]
    assert column(tmp_path, "train/loss") == [1.0]


def test_other_processes_write_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(rank_zero_only, "rank", 1)
    RunLogger(tmp_path / "run").log_metrics({"train/loss": 1.0}, 3)
    assert list(tmp_path.iterdir()) == []
