"""What needs no torch is answered without it, at once."""

import subprocess
import sys
import time

import pytest

from lt_lightning.cli.front import COMMANDS

# Runs `lt` and says on the last line of standard error which heavy packages were loaded.
_PROBE = """
import sys
from lt_lightning.cli import main
status = main(sys.argv[1:])
heavy = {"torch", "lightning", "jsonargparse", "numpy", "matplotlib", "wandb"}
sys.stderr.write(" ".join(sorted(heavy & set(sys.modules))))
sys.exit(status)
"""
_SLOWEST = 0.5  # seconds, on an idle machine


def _probe(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _PROBE, *words], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--help",), "lt fit --config FILE"),
        ((), "lt fit --config FILE"),
        (("--version",), "lt_lightning 0."),
        (("methods",), "Zhou et al., BBN"),
        (("configs",), "BBN on CIFAR-10-LT"),
        (("calibrate", "--help"), "temperature and vector scaling, before and after"),
        (("report", "{run}"), "macro %"),
    ],
    ids=["help", "nothing", "version", "methods", "configs", "calibrate", "report"],
)
def test_the_front_answers_without_torch(words, says, finished):
    answer = _probe(*(word.format(run=finished) for word in words))

    assert answer.returncode == 0, answer.stderr
    assert says in answer.stdout
    assert answer.stderr == ""


SAYS = {  # what the help of each command must say
    "fit": "--trainer.max_epochs",
    "auto": "the best remedy for your pictures",
    "validate": "over the validation set",
    "test": "over the test set",
    "calibrate": "temperature and vector scaling",
    "sweep": "a table of runs, planned, run and gone on with",
    "completion": "complete commands, options, classes, configs and runs",
    "data": "look at pictures before training",
    "cam": "new training images for the rare classes",
    "predict": "classify the images of a folder",
    "export": "a model that needs nothing of this package",
    "report": "One table of finished runs",
    "dashboard": "the W&B workspace",
    "methods": "every method, loss, sampler",
    "configs": "the configs that come with the package",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help(lt, command, tmp_path):
    for flag in ("--help", "-h"):
        answer = lt(f"{command} {flag}")
        assert (answer.status, answer.err) == (0, "")
        assert SAYS[command] in answer.out
        assert f"lt {command}" in answer.out or "--key value" in answer.out
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    "words",
    [("fti",), ("fit", "--config", "nowhere.yaml"), ("test",), ("test", "nowhere")],
    ids=["command", "config", "no-run", "unknown-run"],
)
def test_a_mistake_that_is_seen_at_once_is_told_at_once(words):
    answer = _probe(*words)

    assert answer.returncode in (1, 2)
    said, loaded = answer.stderr.split("\n")
    assert said.startswith("lt: ")
    assert loaded == ""


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("--help",), marks=pytest.mark.slow),
        pytest.param(("--version",), marks=pytest.mark.slow),
        ("methods",),  # the slowest
    ],
    ids="-".join,
)
def test_the_front_takes_less_than_half_a_second(words):
    seconds = []
    # The fastest of three, and as much again as a bare interpreter took: other work on the
    # machine slows both.
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import argparse, ast"], check=True)
        middle = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "lt_lightning", *words], check=True, stdout=subprocess.DEVNULL
        )
        seconds.append(time.perf_counter() - middle)
        idle = middle - start
        if seconds[-1] < _SLOWEST:
            return
    assert min(seconds) < _SLOWEST + 4 * idle
