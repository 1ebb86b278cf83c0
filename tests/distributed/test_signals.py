"""Two processes (gloo): SIGTERM, Ctrl-C and a full disk end both together, in one sentence."""

import os
import resource
import signal

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
