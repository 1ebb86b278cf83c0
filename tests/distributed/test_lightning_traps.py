"""What Lightning does unasked, and what it must not do to a run."""

import csv

import lightning as L
import pytest
import torch
from lt_runs import CONFIGS, assert_same, checkpoint, in_process, results, tiny
from PIL import Image

from lt_lightning.cli.resuming import native_bf16
from lt_lightning.methods import LongTailModule

ONE_EPOCH = ("--trainer.max_epochs", "1", "--model.lr_schedule.warmup_epochs", "0")


def test_nobody_asks_for_the_estimated_number_of_steps(here, monkeypatch):
    """Trap: who asks for it when the optimizer is made loses the position within the epoch."""

    def asked(trainer):
        pytest.fail("estimated_stepping_batches was asked for")

    monkeypatch.setattr(L.Trainer, "estimated_stepping_batches", property(asked))
    answer = in_process(tiny("bbn", *ONE_EPOCH, "--trainer.limit_train_batches", "1"))
    assert answer.status == 0, answer.err


class Stopped(BaseException):
    """No error that anything could catch."""


@pytest.fixture
def photos(tmp_path):
    """Return a folder of 72 image files in 3 classes, 2 of 3 for training."""
    generator = torch.Generator().manual_seed(0)
    for number in range(72):
        split = "test" if number % 3 == 2 else "train"
        folder = tmp_path / "photos" / split / f"class{number // 3 % 3}"
        folder.mkdir(parents=True, exist_ok=True)
        pixels = torch.randint(256, (20, 20, 3), generator=generator, dtype=torch.uint8)
        Image.fromarray(pixels.numpy()).save(folder / f"{number}.png")
    return tmp_path / "photos"


@pytest.mark.slow
@pytest.mark.parametrize("step", [9, 12], ids=["in mid-epoch", "at the start of an epoch"])
def test_image_files_are_read_on_by_workers(here, photos, monkeypatch, step):
    """Trap: workers fetch images before Lightning has told them the epoch, so of another one."""
    arguments = [
        *("fit", "--config", str(CONFIGS / "ce.yaml"), "--model.backbone.depth", "8"),
        *("--config", str(CONFIGS / "data" / "folder_large.yaml"), "--data.root", str(photos)),
        *("--data.source.image_size", "16", "--data.batch_size", "8", "--data.workers", "2"),
        *("--trainer.accelerator", "cpu", "--trainer.max_epochs", "3"),
        *("--checkpoint.every_n_steps", "2", "--name", "run", "--model.backbone.width", "4"),
    ]
    log_train, seen = LongTailModule.log_train, []

    def stop(*args, **terms):
        seen.append(None)
        if len(seen) > step:
            raise Stopped
        return log_train(*args, **terms)

    whole = in_process([*arguments, "--version", "whole"])
    assert whole.status == 0, whole.err
    with monkeypatch.context() as patch:
        patch.setattr(LongTailModule, "log_train", stop)
        with pytest.raises(Stopped):
            in_process([*arguments, "--version", "cut"])
    answer = in_process([*arguments, "--version", "cut", "--ckpt_path", "last"])
    assert answer.status == 0, answer.err
    a, b = (checkpoint(here / "runs" / "run" / name) for name in ("whole", "cut"))
    assert_same(a["state_dict"], b["state_dict"])


@pytest.mark.skipif(not native_bf16(), reason="this processor does not compute in bfloat16")
def test_bfloat16_is_used_where_the_processor_has_it(here):
    """Trap: the precision that was asked for is not always the one that Lightning computes in."""
    answer = in_process(tiny("ce", *ONE_EPOCH, "--trainer.limit_train_batches", "2"))
    assert answer.status == 0, answer.err
    folder = here / "runs" / "ce-digits" / "0"
    assert results(folder)["hardware"]["precision"] == "bf16-mixed"
    weights = checkpoint(folder)["state_dict"]
    assert all(value.isfinite().all() for value in weights.values())
    assert {v.dtype for v in weights.values() if v.is_floating_point()} == {torch.float32}


@pytest.mark.slow
def test_srun_on_the_path_is_no_warning(here, monkeypatch):
    """Trap: a login node has srun on its path, and Lightning warns of it in every run."""
    tools = here / "bin"
    tools.mkdir()
    (tools / "srun").write_text("#!/bin/sh\n")
    (tools / "srun").chmod(0o755)
    monkeypatch.setenv("PATH", str(tools), prepend=":")
    answer = in_process(tiny("ce", *ONE_EPOCH, "--trainer.limit_train_batches", "1"))
    assert answer.status == 0, answer.err
    assert "srun" not in answer.err


@pytest.mark.slow
def test_the_metrics_of_an_epoch_without_validation_are_not_repeated(here):
    """Trap: Lightning keeps the metrics of the last validation and gives them out again."""
    every_second = ("--data.holdout.fraction", "0.2", "--trainer.check_val_every_n_epoch", "2")
    answer = in_process(tiny("ce", *every_second, "--trainer.limit_train_batches", "1"))
    assert answer.status == 0, answer.err
    with (here / "runs" / "ce-digits" / "0" / "metrics.csv").open(newline="") as stream:
        found = [row["val/acc"] for row in csv.DictReader(stream)]
    assert [bool(value) for value in found] == [False, True, False, False]
