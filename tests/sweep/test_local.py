"""Runs side by side, with a stand-in for `lt`: states, failures, what waits and goes on."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lt_lightning.runs import launch, lock, signals, warning
from lt_lightning.sweep import local
from lt_lightning.sweep.board import Board
from lt_lightning.sweep.cost import Cost, told
from lt_lightning.sweep.job import Job, place
from lt_lightning.sweep.local import Local, Terms, environment, last_line
from lt_lightning.sweep.record import Measured, Record, read_record
from lt_lightning.sweep.state import Kind
from lt_lightning.sweep.text import board_lines, plan_lines, shell_lines

# Notes when it began and ended, and leaves what `lt` leaves; a run called bad fails.
_STAND_IN = """
import json, sys, time
from pathlib import Path
words, root = sys.argv[1:], Path(sys.argv[0]).parent
if words[0] == "fit":
    name, version = words[words.index("--name") + 1], words[words.index("--version") + 1]
    folder = root / name / version
else:
    folder = Path(words[1])
(root / "times").open("a").write(f"+{folder.parent.name}\\n")
time.sleep(0.2)
(root / "times").open("a").write(f"-{folder.parent.name}\\n")
if folder.parent.name == "bad":
    sys.exit("lt: bad is bad.")
(folder / "checkpoints").mkdir(parents=True, exist_ok=True)
if words[0] == "fit":
    (folder / "command.json").write_text(json.dumps({"command": ["lt", *words]}))
(folder / "checkpoints" / "last.ckpt").touch()
told = {"epochs": 3, "planned_epochs": 3, "seconds": 6.0}
evaluations = {"last": {}}
if words[0] == "test":
    before = json.loads((folder / "results.json").read_text())["evaluations"]
    evaluations = {**before, f"last+{words[3]}": {"command": ["lt", *words]}}
aside = folder / "aside"
aside.write_text(json.dumps({"training": told, "evaluations": evaluations}))
aside.rename(folder / "results.json")
"""


# Is warned as all processes of a job are, which would end it, and ends by SIGTERM as `lt` does.
_WARNED = """
import os, signal, sys, time
from pathlib import Path
root = Path(sys.argv[0]).parent
def save(*_):
    (root / "NAME").open("a").write("saved\\n")
    sys.exit(143)
signal.signal(signal.SIGTERM, save)
os.kill(os.getpid(), signal.SIGUSR1)
(root / f"begun-{os.getpid()}").touch()
time.sleep(60)
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a sweep whose results files need no schema."""
    (tmp_path / "lt.py").write_text(_STAND_IN, encoding="utf-8")
    for part in ("begun", "state"):
        monkeypatch.setattr(
            f"lt_lightning.sweep.{part}.read_results",
            lambda folder: json.loads((folder / "results.json").read_text()),
        )
    monkeypatch.setattr(
        "lt_lightning.runs.finished.read_results",
        lambda _: {"data": {}, "evaluations": {"last": {}}},
    )
    monkeypatch.setattr(local, "_PAUSE", 0.02)
    return tmp_path


def _job(name: str, needs: str | None = None) -> Job:
    return Job(
        name,
        "seed0",
        place(Path("runs"), name, "seed0"),
        needs=needs and f"{needs}/seed0",
        epochs=3,
        data="digits",
    )


def _begin(root: Path, job: Job) -> Path:
    """Leave what a run has that was interrupted, and return its folder."""
    folder = job.folder(root)
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "checkpoints" / "last.ckpt").touch()
    command = json.dumps({"command": ["lt", "fit", *job.words, *job.shared]})
    (folder / "command.json").write_text(command, encoding="utf-8")
    return folder


def _run(root: Path, jobs: list[Job], at_once: int = 1) -> Board:
    board = Board(Record(jobs), root)
    program = (sys.executable, str(root / "lt.py"))
    Local(board, Terms(jobs=at_once), program).run(lambda: None)
    return board


def _most_at_once(root: Path) -> int:
    level = most = 0
    for line in (root / "times").read_text().split():
        level += 1 if line[0] == "+" else -1
        most = max(most, level)
    return most


@pytest.mark.parametrize("at_once", [1, 2])
def test_as_many_at_once_as_asked(root: Path, at_once: int) -> None:
    board = _run(root, [_job(name) for name in "abcd"], at_once)
    assert {state.kind for state in board.states.values()} == {Kind.DONE}
    assert _most_at_once(root) == at_once


def test_a_failure_stops_only_what_waits_for_it(root: Path) -> None:
    board = _run(root, [_job("bad"), _job("c", needs="bad"), _job("a"), _job("b", needs="a")])
    kinds = {job: state.kind for job, state in board.states.items()}
    assert kinds == {
        "bad/seed0": Kind.FAILED,
        "c/seed0": Kind.WAITING,
        "a/seed0": Kind.DONE,
        "b/seed0": Kind.DONE,
    }
    lines = "\n".join(board_lines(board, Cost(board)))
    assert "bad/seed0 failed, status 1: lt: bad is bad." in lines
    assert "c/seed0 waits for bad/seed0, which failed" in lines
    known = read_record(root)
    assert known is not None
    assert known.failed == board.record.failed
    assert [job.id for job in known.jobs] == [job.id for job in board.record.jobs]


def test_tests_of_one_run_never_overlap(root: Path) -> None:
    run = _job("a")
    tests = [replace(run, needs=run.id, epochs=None, post_hoc=name) for name in ("X", "Y", "Z")]
    board = _run(root, [run, *tests], 3)
    assert {state.kind for state in board.states.values()} == {Kind.DONE}
    assert _most_at_once(root) == 1


def test_finished_runs_are_passed_over_and_interrupted_ones_gone_on_with(root: Path) -> None:
    _run(root, [_job("a")])
    (root / "times").unlink()
    _begin(root, _job("b"))
    jobs = [_job("a"), _job("b"), _job("c")]
    board = Board(Record(jobs), root)
    kinds = [board.states[job.id].kind for job in jobs]
    assert kinds == [Kind.DONE, Kind.INTERRUPTED, Kind.WAITING]
    of_b, of_c = shell_lines(board.left(), root)
    assert of_b.endswith("--name b --version seed0 --ckpt_path last")
    assert of_c.endswith("--name c --version seed0")


def test_a_run_that_another_process_holds_is_waited_for(root: Path) -> None:
    holder = (
        "import sys, time; from pathlib import Path; from lt_lightning.runs import lock; "
        "lock.take_folder(Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    )
    folder = root / "a" / "seed0"
    folder.mkdir(parents=True)
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(folder)], stdout=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            assert lock.is_held(folder)
            board = Board(Record([_job("a"), _job("b")]), root)
            assert board.states["a/seed0"].kind is Kind.RUNNING
            assert not board.stuck()
        finally:
            process.kill()
    assert not lock.is_held(folder)


def test_a_test_that_a_killed_sweep_has_left_at_work_is_waited_for(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = _job("a")
    _run(root, [run])
    (root / "times").unlink()
    looks = iter([True] * 6)  # of the lock of an earlier test; then that ends
    held = run.folder(root)
    monkeypatch.setattr(lock, "is_held", lambda folder: folder == held and next(looks, False))
    tests = [replace(run, needs=run.id, epochs=None, post_hoc=name) for name in ("X", "Y")]
    board = Board(Record([run, *tests, _job("b")]), root)
    kinds = [state.kind for state in board.states.values()]
    assert kinds == [Kind.DONE, Kind.RUNNING, Kind.WAITING, Kind.WAITING]
    assert board.next() == _job("b")
    Local(board, Terms(), (sys.executable, str(root / "lt.py"))).run(lambda: None)
    assert {state.kind for state in board.states.values()} == {Kind.DONE}


def test_a_warning_ends_the_runs_and_is_answered_once(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trap: each run would ask for the restart of the job, and the sweep never."""
    name = f"noted-{os.getpid()}"
    (root / "lt.py").write_text(_WARNED.replace("NAME", name), encoding="utf-8")
    (root / "scontrol").write_text(f'#!/bin/sh\necho "$@" >> {root}/{name}\n', encoding="utf-8")
    (root / "scontrol").chmod(0o755)
    for key in [key for key in os.environ if key.startswith("SLURM_")]:
        monkeypatch.delenv(key)
    for key, value in {"ID": "4242", "NAME": "train"}.items():
        monkeypatch.setenv(f"SLURM_JOB_{key}", value)
    monkeypatch.setenv("PATH", str(root), prepend=os.pathsep)
    board = Board(Record([_job("a"), _job("b")]), root)
    runs = Local(board, Terms(jobs=2), (sys.executable, str(root / "lt.py")))

    def show() -> None:
        if len(list(root.glob("begun-*"))) == len(board.record.jobs):
            os.kill(os.getpid(), signal.SIGUSR1)

    with warning.taken(["sweep"]), pytest.raises(signals.Stopped) as stopped:
        runs.run(show)
    assert (root / name).read_text(encoding="utf-8") == "saved\nsaved\nrequeue 4242\n"
    monkeypatch.setattr(launch, "_given", ["sweep"])
    assert stopped.value.sentence == "stopped by SIGUSR1; the same command goes on."


def test_the_cost_of_a_run_is_that_of_its_other_seeds_else_as_measured(root: Path) -> None:
    first = _job("a")
    second, other = replace(first, version="seed1", epochs=30), replace(_job("b"), epochs=100)
    _run(root, [first])
    measured = {"digits": Measured(40.0, "")}
    record = Record([first, second, other], epoch_seconds=measured)
    board = Board(record, root)
    cost = Cost(board)
    assert cost.of(second) == pytest.approx(60.0)
    assert cost.of(other) == pytest.approx(4000.0)
    lines = plan_lines(board, cost)
    assert lines[3].split() == ["b/seed0", "waiting", "100", "1", "h", "07", "min"]
    assert lines[-1] == "1 done, 2 waiting; about 1 h 08 min of work left."


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "-"), (20.4, "20 s"), (125.0, "2 min"), (3_725.0, "1 h 02 min")]
)
def test_durations(seconds: float | None, text: str) -> None:
    assert told(seconds) == text


def test_each_run_has_its_share_of_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def shares(jobs: int) -> str:
        return environment(jobs)["OMP_NUM_THREADS"]

    monkeypatch.setattr("os.sched_getaffinity", lambda _: range(8), raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    assert [shares(1), shares(3), shares(99)] == ["8", "2", "1"]
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert shares(2) == "5"


def test_the_last_line_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    assert last_line(log) == ""
    log.write_bytes(b"one\nlt: two\n\n")
    assert last_line(log) == "lt: two"
