"""SIGKILL at a random step of a real `lt`, then --ckpt_path last: the same bits at the end."""

import random
import signal
import sys
import time
from pathlib import Path

import lt_killed
import pytest
from lt_runs import (
    STEPS,
    assert_same_end,
    checkpoint,
    finish,
    kill_group,
    rows,
    run,
    start,
    tiny,
)

KILLED = (lt_killed.__file__,)
EVERY = 4


def arguments(config, *more):
    return tiny(config, "--checkpoint.every_n_steps", str(EVERY), "--name", "run", *more)


def epochs_and_steps(folder):
    return [(row["epoch"], row["step"]) for row in rows(folder)]


def wait_for(file, process, seconds=300):
    end = time.monotonic() + seconds
    while not file.exists():
        assert process.poll() is None, finish(process).err
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize("config", ["ce", "bbn", "mixup"])
def test_one_process_killed_at_any_moment(config, tmp_path):
    given = arguments(config, "--trainer.max_epochs", "12")
    (tmp_path / "whole").mkdir()
    (tmp_path / "cut").mkdir()
    whole = run(given, tmp_path / "whole")
    assert whole.status == 0, whole.err
    folder = tmp_path / "cut" / "runs" / "run" / "0"
    program = (Path(sys.executable).with_name("lt"),)  # the console script itself
    process = start(given, tmp_path / "cut", program)
    wait_for(folder / "checkpoints" / "last.ckpt", process)
    time.sleep(random.random())
    kill_group(process)
    finish(process)
    assert process.returncode == -signal.SIGKILL
    print("killed behind step", checkpoint(folder)["global_step"])
    resumed = run([*given, "--ckpt_path", "last"], tmp_path / "cut", program)
    assert resumed.status == 0, resumed.err
    reference = tmp_path / "whole" / "runs" / "run" / "0"
    assert_same_end(folder, reference)
    assert epochs_and_steps(folder) == epochs_and_steps(reference)


@pytest.mark.slow
def test_one_process_killed_while_it_writes_a_checkpoint(tmp_path):
    """Trap: what is being written is lost, so it must not be the only checkpoint."""
    cut = run(arguments("ce"), tmp_path, KILLED, DIE_IN_SAVE="4")
    assert cut.status == -signal.SIGKILL
    folder = tmp_path / "runs" / "run" / "0"
    assert checkpoint(folder)["global_step"] == 12  # saved at 4, 8, 10, 12; killed at 16
    resumed = run([*arguments("ce"), "--ckpt_path", "last"], tmp_path)
    assert resumed.status == 0, resumed.err
    assert checkpoint(folder)["global_step"] == 3 * STEPS
