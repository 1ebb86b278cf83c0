"""Runs as jobs of submitit, which runs them as plain processes where there is no SLURM."""

import itertools
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lt_lightning.cli.commands.sweep import _pairs, asked
from lt_lightning.errors import Refused, UserError
from lt_lightning.sweep import slurm
from lt_lightning.sweep.board import Board
from lt_lightning.sweep.job import Job
from lt_lightning.sweep.record import Record, read_record
from lt_lightning.sweep.slurm import OneRun, submit
from lt_lightning.sweep.state import Kind, State

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
    assert found["a/seed0"].startswith("job ")
    until = time.monotonic() + 300
    while not (root / "a/seed0/results.json").is_file() and time.monotonic() < until:
        time.sleep(0.5)
    assert (root / "a/seed0/results.json").is_file()


class _Slurm:
    """A submitit that only takes notes, and a squeue that knows what it is told."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.jobs: dict[str, dict[str, Any]] = {}
        self._numbers = itertools.count(101)
        self._given: dict[str, Any] = {}  # kept from job to job, as that of submitit
        self._file, program = folder / "queue", folder / "squeue"
        program.write_text(f"#!/bin/sh\ncat {self._file}\n", encoding="utf-8")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
        module = SimpleNamespace(AutoExecutor=lambda **_: self)
        monkeypatch.setitem(sys.modules, "submitit", module)

    def update_parameters(self, **given: Any) -> None:
        self._given.update(given)

    def submit(self, run: OneRun) -> SimpleNamespace:
        number = str(next(self._numbers))
        self.jobs[run.job.id] = dict(self._given)
        return SimpleNamespace(job_id=number)

    def queue(self, *lines: str) -> None:
        self._file.write_text("\n".join([*lines, ""]), encoding="utf-8")

    def waits(self) -> dict[str, str]:
        more = {job: given["slurm_additional_parameters"] for job, given in self.jobs.items()}
        return {job: given.get("dependency", "") for job, given in more.items()}


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> _Slurm:
    """Return a stand-in for submitit and SLURM."""
    (tmp_path / "programs").mkdir()
    return _Slurm(tmp_path / "programs", monkeypatch)


def _jobs() -> list[Job]:
    """A run, two tests of it, a second stage on it, and a run that needs nothing."""
    run = replace(_JOB, words=("--config", "a"))
    tests = [Job("a", "seed0", (), needs=run.id, post_hoc=name) for name in ("X", "Y")]
    return [
        run,
        *tests,
        replace(run, name="b", shared=("--x",), needs=run.id),
        replace(run, name="c"),
    ]


def _board(root: Path, jobs: list[Job] | None = None) -> Board:
    record = read_record(root)
    jobs = _jobs() if jobs is None else jobs
    return Board(Record(jobs, submitted=record.submitted if record else {}), root)


def test_each_waits_for_what_it_needs_and_no_more(queue: _Slurm, tmp_path: Path) -> None:
    root = tmp_path / "s"
    root.mkdir()
    told = submit(_board(root), {"slurm_partition": "gpu"})
    assert queue.waits() == {
        "a/seed0": "",
        "a/seed0+X": "afterok:101",
        "a/seed0+Y": "afterok:101,afterany:102",
        "b/seed0": "afterok:101",
        "c/seed0": "",
    }
    assert told["c/seed0"] == "job 105"
    assert {given["slurm_partition"] for given in queue.jobs.values()} == {"gpu"}


def test_what_the_user_gives_to_sbatch_stays(queue: _Slurm, tmp_path: Path) -> None:
    given = {"slurm_dependency": "singleton", "slurm_additional_parameters": {"account": "x"}}
    submit(_board(tmp_path), given)
    assert queue.waits()["b/seed0"] == "singleton,afterok:101"
    assert queue.waits()["c/seed0"] == "singleton"
    more = [given["slurm_additional_parameters"]["account"] for given in queue.jobs.values()]
    assert {*more} == {"x"}
    with pytest.raises(Refused) as refused:
        submit(_board(tmp_path), {"slurm_additional_parameters": 3})
    assert "slurm_additional_parameters is 3" in refused.value.sentence


def test_what_is_still_in_the_queue_is_not_submitted_again(queue: _Slurm, tmp_path: Path) -> None:
    submit(_board(tmp_path), {})
    queue.jobs.clear()
    # X was cancelled; b can never start, for what it waited for failed and was cancelled too.
    queue.queue("101 None", "103 Dependency", "104 DependencyNeverSatisfied", "105 Priority", "9 x")
    told = submit(_board(tmp_path), {})
    assert queue.waits() == {"a/seed0+X": "afterok:101,afterany:103", "b/seed0": "afterok:101"}
    assert told["a/seed0"] == "job 101, submitted before"
    queue.queue("101 None", "103 x", "105 x", "106 x", "107 x")
    queue.jobs.clear()
    submit(_board(tmp_path), {})
    assert queue.jobs == {}


def test_a_run_in_the_queue_is_not_planned_otherwise(queue: _Slurm, tmp_path: Path) -> None:
    submit(_board(tmp_path), {})
    queue.jobs.clear()
    queue.queue("101 None")
    other = [replace(_JOB, words=("--config", "b"))]
    with pytest.raises(UserError, match=r"a/seed0 is in the queue as job 101 .* scancel 101"):
        submit(_board(tmp_path, other), {})
    queue.queue()
    submit(_board(tmp_path, other), {})
    assert list(queue.jobs) == ["a/seed0"]


def test_a_queue_that_does_not_answer_is_told(
    queue: _Slurm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(_board(tmp_path), {})
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match=r"squeue does not say which jobs .* not on the PATH"):
        submit(_board(tmp_path), {})


def test_nothing_starts_on_a_run_that_another_process_still_trains(
    queue: _Slurm, tmp_path: Path
) -> None:
    board = _board(tmp_path)
    board.states["a/seed0"] = State(Kind.RUNNING)
    told = submit(board, {})
    assert list(queue.jobs) == ["c/seed0"]
    assert told["a/seed0"] == "at work outside the queue"
    assert told["b/seed0"] == "waits for a/seed0, start the sweep again when that is done"


def test_a_node_leaves_the_run_of_another_command_alone(tmp_path: Path) -> None:
    (tmp_path / "a" / "seed0" / "checkpoints").mkdir(parents=True)
    (tmp_path / "a" / "seed0" / "checkpoints" / "last.ckpt").touch()
    with pytest.raises(RuntimeError, match="holds the run of another command"):
        OneRun(_JOB, tmp_path)()


def test_the_signal_of_the_scheduler_does_not_reach_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trap: SLURM sends SIGUSR2 to all processes of a job; it ends one that has not taken it."""
    script = (
        "import os, signal; [os.kill(os.getpid(), n) for n in (signal.SIGUSR1, signal.SIGUSR2)]"
    )
    monkeypatch.setattr(slurm, "LT", (sys.executable, "-c", script))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    OneRun(_JOB, tmp_path)()
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


@pytest.mark.parametrize(
    ("value", "passed"),
    [
        *(("60", 60), ("1.5", 1.5), ("true", True), ("False", False), ("null", None)),
        *(("{a: x}", {"a": "x"}), ("[a, b]", ["a", "b"]), ("{a: 1:30:00}", {"a": "1:30:00"})),
        *((text, text) for text in ("007", "1:30:00", "yes", "gpu:2", "%j", "a: b", "", "1e5")),
    ],
)
def test_a_value_is_passed_on_as_it_is_meant(value: str, passed: Any) -> None:
    """Trap: mem_gb=1.5 was a text, which is refused, and slurm_use_srun=false one that is true."""
    words = ["--configs", "ce", "--launcher", "slurm", "--slurm", f"slurm_x={value}"]
    options, _ = asked(words)
    (found,) = _pairs(options.slurm, "slurm").values()
    assert (found, type(found)) == (passed, type(passed))


def test_an_option_of_another_type_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trap: submitit asserts."""
    pytest.importorskip("submitit")
    for given in ({"timeout_min": "abc"}, {"foo": 1}):
        with pytest.raises(UserError) as raised:
            submit(Board(Record([_JOB]), tmp_path), given, "local")
        assert str(raised.value).startswith("SLURM did not take the runs (Parameter ")
        assert "\n" not in str(raised.value)


def test_jobs_of_a_deleted_record_are_not_submitted_again(queue: _Slurm, tmp_path: Path) -> None:
    """Trap: the message of a damaged sweep.json asked to delete it, and each job ran twice."""
    (tmp_path / "slurm").mkdir()
    for number in (100, 101):
        (tmp_path / "slurm" / f"{number}_submitted.pkl").touch()
    queue.queue("101 None", "9 x")
    with pytest.raises(UserError, match=r"does not know, 101: scancel 101 first, or put back"):
        submit(_board(tmp_path), {})
    assert queue.jobs == {}
    queue.queue("9 x")
    submit(_board(tmp_path), {})
    assert len(queue.jobs) == 5
