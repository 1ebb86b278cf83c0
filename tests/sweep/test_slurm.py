"""Runs as jobs of submitit, which runs them as plain processes where there is no SLURM."""

import sys
import time
from pathlib import Path

import pytest

from lt_lightning.errors import UserError
from lt_lightning.sweep.board import Board
from lt_lightning.sweep.job import Job
from lt_lightning.sweep.record import Record
from lt_lightning.sweep.slurm import submit

_JOB = Job("a", "seed0", ("--name", "a", "--version", "seed0"), epochs=1)


def test_without_submitit_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(UserError, match="needs submitit"):
        submit(Board(Record([_JOB]), tmp_path), {})


def test_without_slurm_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("submitit")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match="SLURM did not take the runs"):
        submit(Board(Record([_JOB]), tmp_path), {})


@pytest.mark.slow
# submitit's local executor leaves its process to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_each_run_is_a_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("submitit")
    monkeypatch.chdir(tmp_path)
    root = Path("runs/s")
    place = ("--runs", "runs/s", "--name", "a", "--version", "seed0")
    options = (
        "--config ce --config data/digits --model.backbone.depth=8 --trainer.max_epochs=1 "
        "--model.lr_schedule.warmup_epochs=0 --trainer.limit_train_batches=2"
    )
    job = Job("a", "seed0", (*options.split(), *place), epochs=1)
    found = submit(Board(Record([job]), root), {"timeout_min": 5}, "local")
    assert list(found) == ["a/seed0"]
    until = time.monotonic() + 300
    while not (root / "a/seed0/results.json").is_file() and time.monotonic() < until:
        time.sleep(0.5)
    assert (root / "a/seed0/results.json").is_file()
