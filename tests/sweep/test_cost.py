"""What an epoch is measured to cost, for what, and how a sweep of unknown cost is summed up."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lt_lightning.errors import UserError
from lt_lightning.sweep.board import Board
from lt_lightning.sweep.cost import Cost, measure
from lt_lightning.sweep.job import Job, place
from lt_lightning.sweep.record import Measured, Record, read_record, renewed
from lt_lightning.sweep.state import Kind, State
from lt_lightning.sweep.text import summary

_SHORT = ("--trainer.max_epochs=null", "--model.stage1_epochs=1", "--model.stage2_epochs=1")


def _job(root: Path, name: str = "crt", of: str = "small") -> Job:
    words = ("--config", name, *place(root, name, "seed0"))
    return Job(name, "seed0", words, epochs=40, data="digits", of=of, short=_SHORT)


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Let trainings of 6 seconds for two epochs be noted in place of run."""
    commands: list[list[str]] = []

    def call(words: list[str], **_: Any) -> int:
        commands.append(words)
        return 0

    training = {"training": {"seconds": 6.0, "epochs": 2}}
    monkeypatch.setattr("lt_lightning.sweep.cost.subprocess.call", call)
    monkeypatch.setattr("lt_lightning.sweep.cost.read_results", lambda _: training)
    return commands


def test_an_epoch_is_measured_once_for_what_it_is_of(
    tmp_path: Path, trained: list[list[str]]
) -> None:
    record = Record([_job(tmp_path), _job(tmp_path, "lws")])
    for _ in range(2):
        measure(record, tmp_path)
    assert record.epoch_seconds == {"digits": Measured(3.0, "small")}
    (words,) = trained
    assert words[3:9] == ["fit", "--config", "crt", *_SHORT]
    assert Cost(Board(record, tmp_path)).of(record.jobs[1]) == 120.0

    record = renewed(read_record(tmp_path), [_job(tmp_path, of="deeper")], tmp_path)
    assert Cost(Board(record, tmp_path)).of(record.jobs[0]) is None
    measure(record, tmp_path)
    assert record.epoch_seconds == {"digits": Measured(3.0, "deeper")}
    place = words[words.index("--runs") + 1]
    assert place == str(tmp_path / ".measured")  # which no star of a shell takes for a row


def test_what_was_measured_is_kept_beside_another_plan(
    tmp_path: Path, trained: list[list[str]]
) -> None:
    other, looked = Record([_job(tmp_path, "lws")]), Record([_job(tmp_path)])
    measure(looked, tmp_path, kept=other)
    found = read_record(tmp_path)
    assert found is not None
    assert [job.name for job in found.jobs] == ["lws"]
    assert found.epoch_seconds == looked.epoch_seconds == {"digits": Measured(3.0, "small")}


def test_a_measured_epoch_is_as_nice_as_asked(tmp_path: Path, trained: list[list[str]]) -> None:
    measure(Record([_job(tmp_path)]), tmp_path, 7)
    assert trained[0][:3] == ["nice", "-n", "7"]
    assert trained[0][6] == "fit"


def test_a_measured_epoch_is_told_to_no_logger(tmp_path: Path, trained: list[list[str]]) -> None:
    """Trap: it stood among the runs of the sweep at W&B."""
    run = _job(tmp_path)
    given = ("--trainer.logger.group=s", "--trainer.logger", "WandbRun", "--trainer.max_steps=3")
    run = replace(run, words=("--config", "crt", *given, *run.words[2:]))
    measure(Record([run]), tmp_path)
    (words,) = trained
    assert words[4:7] == ["--config", "crt", "--trainer.max_steps=3"]
    assert [word for word in words if "logger" in word] == ["--trainer.logger=null"]


@pytest.mark.parametrize(("seconds", "epochs"), [(None, None), (None, 0), (2.0, None), (2.0, 0)])
def test_an_epoch_without_a_step_is_not_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float | None, epochs: int | None
) -> None:
    training = {"training": {"seconds": seconds, "epochs": epochs}}
    monkeypatch.setattr("lt_lightning.sweep.cost.subprocess.call", lambda *_, **__: 0)
    monkeypatch.setattr("lt_lightning.sweep.cost.read_results", lambda _: training)
    record = Record([_job(tmp_path)])
    if seconds is None:
        with pytest.raises(UserError, match="crt/seed0 was not measured"):
            measure(record, tmp_path)
    else:
        measure(record, tmp_path)
        assert record.epoch_seconds["digits"].seconds == seconds


def test_a_sum_says_only_what_is_known(tmp_path: Path) -> None:
    run = _job(tmp_path)
    test = replace(run, words=(), epochs=None, needs=run.id, post_hoc="X")
    board = Board(Record([run, test]), tmp_path)
    board.states[run.id] = State(Kind.RUNNING)
    assert summary(board, Cost(board)) == "1 running, 1 waiting; 1 of unknown cost."
    board.record.epoch_seconds["digits"] = Measured(3.0, "small")
    assert summary(board, Cost(board)) == "1 running, 1 waiting; about 2 min of work left."
    board.states[run.id] = State(Kind.DONE, 40, 120.0)
    assert summary(board, Cost(board)) == "1 done, 1 waiting; about 0 s of work left."
