"""metrics.csv and TensorBoard carry the same metrics through the same names."""

import csv

import pytest

from lt_lightning.callbacks import ClassWeights, RunLogger


def test_tensorboard_and_csv_hold_the_same_numbers(make_trainer, pictures, tmp_path):
    pytest.importorskip("tensorboard")
    from lightning.pytorch.loggers import TensorBoardLogger
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    module, data = pictures
    board = TensorBoardLogger(tmp_path / "board", name="", version="")
    trainer = make_trainer(ClassWeights(), logger=[RunLogger(tmp_path / "ce" / "0"), board])
    trainer.fit(module, datamodule=data)
    trainer.test(module, datamodule=data, verbose=False)
    board.experiment.flush()
    with (tmp_path / "ce" / "0" / "metrics.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    in_csv = {
        name: [(float(row["step"]), float(row[name])) for row in rows if row[name]]
        for name in rows[0]
        if name not in ("step", "epoch")
    }
    events = EventAccumulator(str(tmp_path / "board")).Reload()
    names = [name for name in events.Tags()["scalars"] if name not in ("epoch", "hp_metric")]
    in_board = {
        name: [(event.step, pytest.approx(event.value)) for event in events.Scalars(name)]
        for name in names
    }
    assert set(in_csv) == set(in_board)
    assert in_csv == in_board
    assert {"train/loss", "weight/many", "weight/few"} <= set(in_csv)
