"""Two processes (gloo): SIGTERM, Ctrl-C and a full disk end both together, in one sentence."""

import os
import resource
import signal
import time
from contextlib import suppress
from pathlib import Path

import lt_late
import pytest
from disturbed import group_of
from lt_runs import checkpoint, finish, kill_group, run, start, tiny

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


PAIR = ("--trainer.devices", "2", "--trainer.strategy", "ddp", "--name", "run")
SLOW = ("--trainer.callbacks+=slow_steps.SlowTests", "--trainer.callbacks.rank", "1")
SLOW += ("--data.eval_batch_size", "30")


def reached(arguments, folder):
    """Start a command and wait for the batch at which its second process takes its time."""
    kit = Path(__file__).parents[1] / "kit"
    path = os.pathsep.join([str(kit), os.environ.get("PYTHONPATH", "")])
    process = start(arguments, folder, PYTHONPATH=path)
    there, until = folder / "reached-test", time.monotonic() + 60
    while not there.exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    return process


def left_together(process, number, status, whole_group):
    (os.killpg if whole_group else os.kill)(process.pid, number)
    answer = finish(process, timeout=60)
    assert answer.status == status, answer.err
    name = "interrupted" if number == signal.SIGINT else "stopped by SIGTERM"
    assert answer.err.splitlines()[-1].startswith(f"lt: {name}")
    for text in ("Traceback", "terminate called", "gloo", "lt (process"):
        assert text not in answer.err


@pytest.mark.parametrize("whole_group", [True, False])
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_both_leave_a_test_with_one_sentence(tmp_path, number, status, whole_group):
    process = reached(tiny("ce", *PAIR, *SLOW, "--trainer.max_epochs", "1"), tmp_path)
    left_together(process, number, status, whole_group)
    assert not (tmp_path / "runs" / "run" / "0" / "results.json").exists()


@pytest.mark.parametrize("command", ["test", "validate"])
def test_both_leave_a_finished_run_with_one_sentence(tmp_path, command):
    answer = run(
        tiny("ce", "--trainer.max_epochs", "1", "--data.holdout.fraction", "0.3"), tmp_path
    )
    assert answer.status == 0, answer.err
    (folder,) = (tmp_path / "runs").glob("*/0")
    process = reached([command, str(folder), *PAIR[:4], *SLOW], tmp_path)
    left_together(process, signal.SIGINT, 130, True)


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


def test_a_node_that_waits_for_another_says_so_and_can_be_ended(tmp_path):
    """Trap: torch waits half an hour in C++, and hears neither SIGTERM nor Ctrl-C."""
    alone = ("--trainer.num_nodes", "2", "--trainer.strategy", "ddp", "--version", "a")
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29517", "NODE_RANK": "0"}
    process = start(tiny("ce", *alone, "--name", "run"), tmp_path, **place)
    said = next(line for line in process.stderr if "Waiting" in line)
    assert "at 127.0.0.1:29517 for the others: 2 processes on 2 nodes take part" in said
    process.send_signal(signal.SIGTERM)
    answer = finish(process, timeout=30)
    assert answer.status == 143, answer.err
    assert answer.err.splitlines()[-1].startswith("lt: stopped by SIGTERM")


@pytest.mark.parametrize("rank", ["0", "1"])
def test_a_process_that_is_stopped_is_named_and_the_other_ends(tmp_path, rank):
    """Trap: the others wait for it for half an hour, and say neither who it is nor where."""
    more = ("--trainer.devices", "2", "--trainer.strategy", "ddp", "--name", "run")
    words = tiny("ce", *more, "--trainer.max_epochs", "9999")
    process = start(words, tmp_path, LT_LOST_AFTER="4")
    next(line for line in process.stderr if "epoch 12/" in line)  # some seconds of beats
    others = [pid for pid in group_of(process.pid) if pid != process.pid]
    victim = process.pid if rank == "0" else others[0]
    os.kill(victim, signal.SIGSTOP)
    try:
        wanted = f"lt: nothing was heard for 4 s (LT_LOST_AFTER) of process {rank} of 2 on "
        said = next(line for line in process.stderr if line.startswith("lt: nothing was heard"))
        assert said.startswith(wanted)
        assert "(last heard of in epoch " in said
        assert "`--ckpt_path last` goes on from the last checkpoint." in said
        if rank == "1":
            assert finish(process, timeout=30).status == 1
    finally:
        kill_group(process)
        with suppress(ValueError):  # its pipes were read already
            process.communicate()


def test_one_that_a_signal_stops_before_it_meets_the_others_is_not_waited_for(tmp_path):
    """Trap: Lightning takes its status for a success, and the first one waited half an hour."""
    more = ("--trainer.devices", "2", "--trainer.strategy", "ddp", "--name", "run")
    late = {"LATE_ENDS": "15", "LATE_HEARD": "1"}
    answer = run(tiny("ce", *more), tmp_path, (lt_late.__file__,), **late)
    assert answer.status == 1
    assert "lt: process 1 of the run ended before it met the others" in answer.err


@pytest.mark.parametrize(
    ("number", "status", "told"),
    [
        (0, 1, "process 1 of the run ended before it met the others"),
        (15, 143, "process 1 of the run was stopped by SIGTERM before it met the others"),
        (9, 1, "process 1 of the run ended before it met the others"),
    ],
)
def test_a_process_that_ends_before_it_meets_the_others_is_named(tmp_path, number, status, told):
    """Trap: Lightning killed the first one after some seconds, which then said nothing."""
    more = ("--trainer.devices", "2", "--trainer.strategy", "ddp", "--name", "run")
    answer = run(tiny("ce", *more), tmp_path, (lt_late.__file__,), LATE_ENDS=str(number))
    assert answer.status == status, answer.err
    assert f"lt: {told}; it has no checkpoint yet, start it again." in answer.err.splitlines()
    assert "Traceback" not in answer.err
