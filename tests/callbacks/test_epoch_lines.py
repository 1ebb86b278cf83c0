import logging
import re
import sys

import pytest

from lt_lightning.callbacks import EpochLines, LastCheckpoint


class Terminal:
    def isatty(self):
        return True

    def write(self, text):
        return len(text)

    def flush(self):
        pass


@pytest.fixture
def lines(monkeypatch):
    """Collect the lines; `lt` takes this logger out of the reach of pytest's own fixture."""
    found = []
    handler = logging.Handler()
    handler.emit = lambda record: found.append(record.getMessage())
    logger = logging.getLogger("lt_lightning.callbacks.epoch_lines")
    monkeypatch.setattr(logger, "handlers", [handler])
    monkeypatch.setattr(logger, "propagate", False)
    logger.setLevel(logging.INFO)
    yield found
    logger.setLevel(logging.NOTSET)


def without_time(lines):
    assert all(re.search(r", \d+\.\d s$", line) for line in lines)
    return [line.rsplit(",", 1)[0] for line in lines]


def test_one_line_per_epoch_with_loss_rate_and_validation(make_trainer, module, toy_data, lines):
    trainer = make_trainer(EpochLines(), limit_val_batches=1.0)
    trainer.fit(module, datamodule=toy_data(validate=True))
    assert without_time(lines) == [
        "epoch 1/2, train/loss 2.0000, lr 0.1, val/acc 0.2500",
        "epoch 2/2, train/loss 2.0000, lr 0.01, val/acc 0.5000",
    ]


def test_an_old_validation_is_not_shown_again(make_trainer, module, toy_data, lines):
    options = {"limit_val_batches": 1.0, "check_val_every_n_epoch": 2, "max_epochs": 3}
    make_trainer(EpochLines(), **options).fit(module, datamodule=toy_data(validate=True))
    assert ["val/acc" in line for line in lines] == [False, True, False]


def test_a_resumed_run_goes_on_counting(make_trainer, toy_module, toy_data, tmp_path, lines):
    trainer = make_trainer(LastCheckpoint(tmp_path, 1), max_epochs=1)
    trainer.fit(toy_module(), datamodule=toy_data())
    again = make_trainer(EpochLines(), max_epochs=2)
    path = tmp_path / "last.ckpt"
    again.fit(toy_module(), datamodule=toy_data(), ckpt_path=path, weights_only=True)
    assert without_time(lines) == ["epoch 2/2, train/loss 2.0000, lr 0.01"]


@pytest.mark.parametrize(("always", "count"), [(False, 0), (True, 2)])
def test_a_terminal_has_its_progress_bar(
    make_trainer, module, data, lines, monkeypatch, always, count
):
    monkeypatch.setattr(sys, "stderr", Terminal())
    make_trainer(EpochLines(always)).fit(module, datamodule=data)
    assert len(lines) == count


def test_other_processes_are_silent_but_take_part_in_the_sum(
    make_trainer, module, data, lines, monkeypatch
):
    """Trap: a metric is summed over the processes when one asks; if only one asks, it hangs."""
    trainer = make_trainer(EpochLines())
    monkeypatch.setattr(type(trainer), "is_global_zero", False)
    asked = []
    metrics = type(trainer).callback_metrics.fget
    monkeypatch.setattr(
        type(trainer), "callback_metrics", property(lambda t: asked.append(1) or metrics(t))
    )
    trainer.fit(module, datamodule=data)
    assert lines == []
    assert len(asked) == 2
