import errno
import os
import re
import time

import pytest
import torch
from lightning.fabric.plugins.io import torch_io

from lt_lightning.callbacks import (
    BestCheckpoint,
    EpochLines,
    LastCheckpoint,
    NonFiniteGuard,
    RunLogger,
    RunRecord,
    WandbMedia,
    checkpoints,
)
from lt_lightning.errors import UserError


def load(file):
    return torch.load(file, weights_only=True)


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def broken(function, times):
    """Return `function`, which fails from call number `times` + 1 on as on a full disk."""
    calls = []

    def fail(*args, **kwargs):
        calls.append(args)
        if len(calls) > times:
            raise OSError(errno.ENOSPC, "No space left on device")
        return function(*args, **kwargs)

    return fail


def half_written(checkpoint, path):
    torch_io_save(checkpoint, path)
    with open(path, "r+b") as stream:
        stream.truncate(100)
    raise OSError(errno.ENOSPC, "No space left on device")


torch_io_save = torch_io._atomic_save


@pytest.mark.parametrize("broken_part", ["write", "sync", "rename"])
def test_a_full_disk_keeps_the_last_good_checkpoint(
    make_trainer, module, data, tmp_path, monkeypatch, broken_part
):
    """Trap: a checkpoint that is written in place is destroyed by the write that fails."""
    make_trainer(LastCheckpoint(tmp_path / "c"), max_epochs=1).fit(module, datamodule=data)
    before = load(tmp_path / "c" / "last.ckpt")
    if broken_part == "write":
        monkeypatch.setattr(torch_io, "_atomic_save", half_written)
    else:
        name = {"sync": "fsync", "rename": "replace"}[broken_part]
        monkeypatch.setattr(os, name, broken(getattr(os, name), 0))
    with pytest.raises(UserError, match=r"No space left on device.*the one before it is kept"):
        make_trainer(LastCheckpoint(tmp_path / "c")).fit(module, datamodule=data)
    assert names(tmp_path / "c") == ["last.ckpt"]
    after = load(tmp_path / "c" / "last.ckpt")
    assert after["global_step"] == before["global_step"] == 3
    for name, value in before["state_dict"].items():
        assert torch.equal(after["state_dict"][name], value)


def test_a_full_disk_at_the_first_checkpoint_says_that_there_is_none(
    make_trainer, module, data, tmp_path, monkeypatch
):
    monkeypatch.setattr(torch_io, "_atomic_save", half_written)
    with pytest.raises(UserError, match="start again; there is none before it"):
        make_trainer(LastCheckpoint(tmp_path / "c")).fit(module, datamodule=data)
    assert names(tmp_path / "c") == []


def test_a_kill_while_writing_keeps_the_last_good_checkpoint(
    make_trainer, module, data, tmp_path, monkeypatch
):
    make_trainer(LastCheckpoint(tmp_path), max_epochs=1).fit(module, datamodule=data)

    def killed(checkpoint, path):
        path.write_bytes(b"half a file")
        raise SystemExit(9)

    monkeypatch.setattr(torch_io, "_atomic_save", killed)
    with pytest.raises(SystemExit):
        make_trainer(LastCheckpoint(tmp_path)).fit(module, datamodule=data)
    monkeypatch.undo()
    assert load(tmp_path / "last.ckpt")["global_step"] == 3
    make_trainer(LastCheckpoint(tmp_path)).fit(
        module, datamodule=data, ckpt_path=tmp_path / "last.ckpt", weights_only=True
    )
    assert names(tmp_path) == ["last.ckpt"]
    assert load(tmp_path / "last.ckpt")["global_step"] == 6


@pytest.fixture
def saved_steps(monkeypatch):
    found = []

    def note(trainer, path):
        found.append((path.name, trainer.global_step))

    monkeypatch.setattr(checkpoints, "save_whole", note)
    return found


@pytest.mark.parametrize(
    ("every", "steps"), [(None, [3, 6]), (1, [1, 2, 3, 4, 5, 6]), (2, [2, 3, 4, 6]), (9, [3, 6])]
)
def test_steps_at_which_the_last_checkpoint_is_saved(
    make_trainer, module, data, tmp_path, saved_steps, every, steps
):
    """Trap: a run resumed from behind the last batch skips that epoch's validation and its row."""
    make_trainer(LastCheckpoint(tmp_path, every)).fit(module, datamodule=data)
    assert saved_steps == [("last.ckpt", step) for step in steps]


def test_no_checkpoint_between_accumulated_batches(
    make_trainer, module, data, tmp_path, saved_steps
):
    """Trap: the gradients of the batches so far are in no checkpoint."""
    last = LastCheckpoint(tmp_path, 1)
    make_trainer(last, accumulate_grad_batches=2, max_epochs=1).fit(module, datamodule=data)
    assert saved_steps == [("last.ckpt", 1), ("last.ckpt", 2)]


def test_what_the_saves_took_is_told(make_trainer, module, toy_data, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(checkpoints, "_TOLD", 0.02)
    real = checkpoints.save_whole

    def slow(*args):
        time.sleep(0.05)
        real(*args)

    monkeypatch.setattr(checkpoints, "save_whole", slow)
    last = LastCheckpoint(tmp_path)
    assert last.save_seconds is None
    with caplog.at_level("INFO", "lt_lightning"):
        make_trainer(last, max_epochs=2).fit(module, datamodule=toy_data())
    assert 0.05 <= last.save_seconds < 1
    assert re.search(r"2 saves of last.ckpt took 0.\d s each, \d+.\d % of the", caplog.text)


def test_steps_below_one_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"every_n_steps is 0: give 1 or more"):
        LastCheckpoint(tmp_path, 0)


@pytest.mark.parametrize(
    ("mode", "values", "kept"),
    [("max", [0.1, 0.3, 0.3, 0.2], 0.3), ("min", [0.3, 0.1, 0.1, 0.2], 0.1)],
)
def test_the_best_checkpoint_is_the_first_of_the_best(
    make_trainer, module, toy_data, tmp_path, saved_steps, mode, values, kept
):
    module.validation_values = values
    best = BestCheckpoint(tmp_path, "val/acc", mode)
    trainer = make_trainer(best, max_epochs=4, limit_val_batches=1.0)
    trainer.fit(module, datamodule=toy_data(validate=True))
    assert best.best == pytest.approx(kept)
    assert [step for _, step in saved_steps] == [3, 6]


@pytest.mark.parametrize(("seen", "images"), [(True, "TEST"), (False, "held-out")])
def test_the_best_checkpoint_tells_what_chose_it(
    make_trainer, module, toy_data, tmp_path, seen, images
):
    data = toy_data(validate=True)
    data.monitor_test = seen
    parts = (LastCheckpoint(tmp_path), BestCheckpoint(tmp_path, "val/acc"))
    make_trainer(*parts, limit_val_batches=1.0).fit(module, datamodule=data)
    told = f"best val/acc on {images} images"
    assert load(tmp_path / "best.ckpt")["lt_record"]["chosen_by"] == told
    assert "chosen_by" not in load(tmp_path / "last.ckpt").get("lt_record", {})


def test_a_resumed_run_knows_its_best(make_trainer, toy_module, toy_data, tmp_path):
    def fit(values, epochs, **options):
        module = toy_module()
        module.validation_values = values
        parts = (LastCheckpoint(tmp_path), BestCheckpoint(tmp_path, "val/acc"))
        trainer = make_trainer(*parts, max_epochs=epochs, limit_val_batches=1.0)
        trainer.fit(module, datamodule=toy_data(validate=True), **options)

    fit([0.5], 1)
    fit([0.5, 0.4, 0.3], 3, ckpt_path=tmp_path / "last.ckpt", weights_only=True)
    assert load(tmp_path / "best.ckpt")["epoch"] == 0
    assert load(tmp_path / "last.ckpt")["epoch"] == 2


def test_no_best_checkpoint_without_validation(make_trainer, module, data, tmp_path):
    make_trainer(BestCheckpoint(tmp_path), num_sanity_val_steps=2).fit(module, datamodule=data)
    assert names(tmp_path) == []


def test_the_sanity_check_is_no_validation(make_trainer, module, toy_data, tmp_path, saved_steps):
    parts = {"num_sanity_val_steps": 2, "limit_val_batches": 1.0, "max_epochs": 1}
    trainer = make_trainer(BestCheckpoint(tmp_path, "val/acc"), **parts)
    trainer.fit(module, datamodule=toy_data(validate=True))
    assert saved_steps == [("best.ckpt", 3)]


def test_an_unknown_monitor_names_the_known_ones(make_trainer, module, toy_data, tmp_path):
    trainer = make_trainer(BestCheckpoint(tmp_path, "val/acc_macro"), limit_val_batches=1.0)
    with pytest.raises(UserError, match=r"'val/acc_macro': there are val/acc\."):
        trainer.fit(module, datamodule=toy_data(validate=True))


def test_a_trial_saves_nothing(make_trainer, module, toy_data, tmp_path):
    data = toy_data(validate=True)
    parts = (LastCheckpoint(tmp_path, 1), BestCheckpoint(tmp_path, "val/acc"))
    make_trainer(*parts, fast_dev_run=2).fit(module, datamodule=data)
    assert names(tmp_path) == []


def test_the_state_of_every_callback_is_plain(make_trainer, module, toy_data, tmp_path):
    """Trap: one numpy scalar in a callback's state, and the checkpoint cannot be loaded safely."""
    parts = (
        EpochLines(),
        NonFiniteGuard(),
        RunRecord(str(tmp_path)),
        WandbMedia(),
        LastCheckpoint(tmp_path, 2),
        BestCheckpoint(tmp_path, "val/acc"),
    )
    trainer = make_trainer(*parts, limit_val_batches=1.0)
    trainer.fit(module, datamodule=toy_data(validate=True))
    content = load(tmp_path / "last.ckpt")
    assert {"RunRecord", "BestCheckpoint"} <= set(content["callbacks"])
    assert load(tmp_path / "best.ckpt")["epoch"] == 1


def test_the_row_of_the_epoch_is_written_before_its_checkpoint(
    make_trainer, module, data, tmp_path, monkeypatch
):
    """Trap: Lightning logs an epoch after its checkpoint; a kill between loses the row for ever."""
    logger, rows = RunLogger(tmp_path), []
    monkeypatch.setattr(checkpoints, "save_whole", lambda *_: rows.append(list(logger.rows)))
    make_trainer(LastCheckpoint(tmp_path), logger=logger).fit(module, datamodule=data)
    assert [[row["epoch"] for row in seen] for seen in rows] == [[0], [0, 1]]
    # What Lightning logs afterwards is the same: the same rows, the same values.
    assert [{**row} for row in rows[1]] == logger.rows
