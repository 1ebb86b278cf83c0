"""Two processes (gloo): SIGTERM, Ctrl-C and a full disk end both together, in one sentence."""

import os
import resource
import signal
import time
from pathlib import Path

import pytest
from disturbed import group_of
from lt_runs import checkpoint, finish, start, tiny

pytestmark = pytest.mark.distributed


def started(folder):
    more = ("--trainer.devices", "2", "--trainer.strategy", "ddp", "--name", "run")
    process = start(tiny("ce", *more, "--trainer.max_epochs", "9999"), folder)
    said = []
    for line in process.stderr:
        said.append(line)
        if "epoch 2/" in line:
            return process
    raise AssertionError("".join(said))


@pytest.mark.parametrize("whole_group", [True, False])
@pytest.mark.parametrize(
    ("number", "status", "says"),
    [
        (signal.SIGTERM, 143, "lt: stopped by SIGTERM; `--ckpt_path last` goes on"),
        (signal.SIGINT, 130, "lt: interrupted; `--ckpt_path last` goes on"),
    ],
)
def test_both_leave_with_one_sentence(tmp_path, number, status, says, whole_group):
    """Trap: Lightning broadcasts in its handler, and hangs or aborts in the text of C++."""
    process = started(tmp_path)
    (os.killpg if whole_group else os.kill)(process.pid, number)
    answer = finish(process, timeout=60)
    last = answer.err.splitlines()[-1]
    assert last.startswith(says), answer.err
    assert answer.status == status
    for text in ("Traceback", "terminate called", "gloo", "lt (process"):
        assert text not in answer.err
    assert checkpoint(tmp_path / "runs" / "run" / "0")["global_step"] >= 10


@pytest.mark.parametrize("whole_group", [True, False])
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_both_leave_a_test_with_one_sentence(tmp_path, number, status, whole_group):
    """Trap: one leaves at once, and the other, which waits for its counts, says so in C++."""
    more = ("--trainer.devices", "2", "--trainer.strategy", "ddp", "--name", "run")
    slow = ("--trainer.callbacks+=slow_steps.SlowTests", "--data.eval_batch_size", "100")
    kit = Path(__file__).parents[1] / "kit"
    process = start(
        tiny("ce", *more, *slow, "--trainer.max_epochs", "1"),
        tmp_path,
        PYTHONPATH=os.pathsep.join([str(kit), os.environ.get("PYTHONPATH", "")]),
    )
    reached, until = tmp_path / "reached-test", time.monotonic() + 60
    while not reached.exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    (os.killpg if whole_group else os.kill)(process.pid, number)
    answer = finish(process, timeout=60)
    assert answer.status == status, answer.err
    name = "interrupted" if number == signal.SIGINT else "stopped by SIGTERM"
    assert answer.err.splitlines()[-1].startswith(f"lt: {name}; `--ckpt_path last` goes on")
    for text in ("Traceback", "terminate called", "gloo", "lt (process"):
        assert text not in answer.err
    # The first process alone may be waiting for the other, to end a test that is all but over.
    assert not (whole_group and (tmp_path / "runs" / "run" / "0" / "results.json").exists())


def test_a_full_disk_is_told_once(tmp_path):
    """Trap: every process has the sentence of the first, and says it."""
    process = started(tmp_path)
    for member in group_of(process.pid):
        resource.prlimit(member, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    answer = finish(process, timeout=60)
    told = [line for line in answer.err.splitlines() if "could not be written" in line]
    assert answer.status == 1
    assert len(told) == 1, answer.err
    assert told[0].startswith("lt: ")
    assert "Traceback" not in answer.err
