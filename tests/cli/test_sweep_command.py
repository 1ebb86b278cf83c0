"""`lt sweep`: refusals, plan, status; killed at random it ends with the same numbers."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Answer

_SMALL = (
    "--data digits --set model.backbone.depth=8 --set model.backbone.width=4 "
    "--set data.source.size=8 --set trainer.max_epochs=2 --set model.lr_schedule.warmup_epochs=0 "
    "--set trainer.limit_train_batches=2 --set trainer.precision=32-true"
)


@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        ("sweep", 2, "Nothing is asked for"),
        ("sweep survey --seeds 1", 2, "--seeds stands beside a file"),
        ("sweep survei", 2, "did you mean survey"),
        ("sweep --configs ce --jobs 0", 2, "--jobs is 0"),
        ("sweep --configs ce --nice 20", 2, "--nice is 20"),
        ("sweep --configs ce --slurm x=60", 2, "--slurm is for --launcher slurm, and it is local"),
        ("sweep --configs ce --launcher slurm --nice 3", 2, "--nice is for --launcher local"),
        ("sweep --configs ce --launcher print --jobs 1", 2, "--jobs is for --launcher local"),
        ("sweep --configs ce --launcher slurm --plan", 2, "--launcher stands beside --plan"),
        ("sweep --launcher local --status", 2, "--launcher stands beside --status"),
        ("sweep --jobs 7 --status", 2, "--jobs stands beside --status"),
        ("sweep --nice 3 --status", 2, "--nice stands beside --status"),
        ("sweep --slurm a=b --status", 2, "--slurm stands beside --status"),
        ("sweep --configs ce --plan --jobs 4", 2, "--jobs 4 stands beside --plan"),
        ("sweep --configs ce --plan --status", 2, "--plan and --status show two things"),
        ("sweep --configs ce --launcher slurm --slurm a={b", 2, "give keys and values as"),
        ("sweep --configs ce --set a", 2, "--set is 'a'"),
        ("sweep --configs ce --set seed_everything=3", 2, "give seeds"),
        ("sweep --configs ce --post_hoc Nonsense", 2, "post_hoc is 'Nonsense'"),
        ("sweep 'a\nb'", 2, "There is no sweep a\\nb"),
        (f"sweep {'a' * 5000}", 1, "File name too long"),
        ("sweep --configs ce --ratios 0", 2, "A ratio is '0'"),
        ("sweep --configs ce --seeds x", 2, "A seed is 'x'"),
        ("sweep --configs ce --name ../x", 2, "name is '../x'"),
        ("sweep --configs ce --status", 1, "There is no sweep in runs/sweep"),
        ("sweep --configs ce --launcher ssh", 2, "invalid choice: 'ssh'"),
    ],
)
def test_what_is_refused_makes_nothing(
    lt: Callable[[str], Answer], line: str, status: int, said: str
) -> None:
    answer = lt(line)
    assert (answer.status, answer.out) == (status, "")
    assert said in answer.err
    assert answer.err.count("\n") == 1
    assert not Path("runs").exists()


def test_a_row_that_fit_would_refuse_is_refused_before_anything_runs(
    lt: Callable[[str], Answer],
) -> None:
    answer = lt("sweep --configs ce --set trainer.max_epoch=3 --launcher print")
    assert answer.status != 0
    assert "max_epoch" in answer.err
    assert answer.err.count("\n") == 1
    assert not Path("runs").exists()


def test_the_plan_is_told_and_kept(lt: Callable[[str], Answer]) -> None:
    line = f"sweep --configs ce --ratios 20 10 {_SMALL} --post_hoc LogitAdjuster"
    answer = lt(f"{line} --launcher print")
    assert answer.status == 0, answer.err
    fit, test = answer.out.splitlines()[:2]
    assert fit.startswith("lt fit --config ce --config data/digits")
    assert test == "lt test runs/sweep/ce-digits-20/seed0 --post_hoc LogitAdjuster"
    assert len(answer.out.splitlines()) == 4
    kept = json.loads(Path("runs/sweep/sweep.json").read_text(encoding="utf-8"))
    assert [job["epochs"] for job in kept["jobs"]] == [2, None, 2, None]
    status = lt("sweep --status")
    assert "4 waiting" in status.out
    for given in ("configs ce", "data digits", "ratios 3", "seeds 1", "over recipe/short"):
        _is_idle(lt(f"sweep --status --{given}"), given)
    for given in ("post_hoc LogitAdjuster", "set foo=1"):
        _is_idle(lt(f"sweep --status --{given}"), given)
    Path("runs/sweep/sweep.json").write_text("{}", encoding="utf-8")
    answer = lt("sweep --status")
    assert (answer.status, "is damaged" in answer.err) == (1, True)


def _is_idle(answer: Answer, given: str) -> None:
    """Check that what a sweep was planned with is refused where it is only looked at."""
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.startswith(f"lt: --{given.split()[0]} stands beside --status")


def _numbers(root: Path) -> dict[str, Any]:
    """Return all that a sweep has measured, without times."""
    found = {}
    for file in sorted(root.glob("*/*/results.json")):
        evaluations = json.loads(file.read_text(encoding="utf-8"))["evaluations"]
        told = {name: (e["overall"], e["confusion"]) for name, e in evaluations.items()}
        rows = (file.parent / "metrics.csv").read_text(encoding="utf-8")
        found[str(file.parent.relative_to(root))] = told, rows
    return found


def _start(folder: Path, jobs: int) -> "subprocess.Popen[bytes]":
    words = (
        f"sweep --configs ce balanced_softmax --ratios 20 10 5 --seeds 0 1 {_SMALL} --jobs {jobs}"
    )
    command = [sys.executable, "-m", "lt_lightning", *words.split()]
    with (folder / "out").open("ab") as out:
        return subprocess.Popen(command, cwd=folder, stdout=out, stderr=out)


def _children(process: int) -> list[int]:
    task = Path(f"/proc/{process}/task/{process}/children")
    try:
        return [int(word) for word in task.read_text().split()]
    except OSError:
        return []


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_sweep_killed_ten_times_measures_what_an_undisturbed_one_does(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    began = time.monotonic()
    assert _start(whole, 1).wait() == 0, (whole / "out").read_text()
    longest = (time.monotonic() - began) / 12
    wanted = _numbers(whole / "runs" / "sweep")
    assert len(wanted) == 12
    for jobs in (1, 2):
        chance = random.Random(jobs)
        folder = tmp_path / f"killed{jobs}"
        folder.mkdir()
        for kill in range(10):
            process = _start(folder, jobs)
            time.sleep(chance.uniform(0.3, 1.5) * longest)
            # Every other time the runs die too; else they go on, and the next sweep finds them.
            runs = _children(process.pid) if kill % 2 else []
            for number in (process.pid, *runs):
                os.kill(number, signal.SIGKILL)
            process.wait()
        assert _start(folder, jobs).wait() == 0, (folder / "out").read_text()
        assert _numbers(folder / "runs" / "sweep") == wanted
