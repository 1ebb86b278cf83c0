"""Two commands at once on one folder: the second is refused, whatever became of the first."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from lt_lightning.errors import UserError
from lt_lightning.runs import lock

_HOLDS = """
import os, sys
from pathlib import Path
from lt_lightning.runs import lock
getattr(lock, sys.argv[1])(Path(sys.argv[2]))
if os.fork() == 0:  # as a worker of a DataLoader, which outlives a parent that is killed
    sys.stdin.read()
    os._exit(0)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _released():
    yield
    lock.release()


@contextmanager
def held_by_another(path, take="take_folder"):
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLDS, take, path],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.stdin.close()


def test_the_second_is_refused_until_the_first_ends(tmp_path):
    with held_by_another(tmp_path) as first:
        refusal = f"The run folder .* is in use by process {first.pid} on .*: wait until it ends"
        with pytest.raises(UserError, match=refusal):
            lock.take_folder(tmp_path)
    lock.take_folder(tmp_path)


def test_a_kill_leaves_no_lock_behind(tmp_path):
    """Trap: a worker that inherits the lock holds it after its parent was killed."""
    with held_by_another(tmp_path) as first:
        first.send_signal(signal.SIGKILL)
        first.wait()
        lock.take_folder(tmp_path)


def test_an_output_is_written_by_one_command(tmp_path):
    out = tmp_path / "new" / "rows.csv"
    with (
        held_by_another(out, "take_output"),
        pytest.raises(UserError, match=r"--out .*rows.csv is being written by process"),
    ):
        lock.take_output(out)
    lock.take_output(out)
    lock.release()
    assert not list(out.parent.iterdir())


def test_the_processes_of_a_run_share_its_lock(tmp_path, monkeypatch):
    with held_by_another(tmp_path):
        monkeypatch.setenv("LOCAL_RANK", "1")
        lock.take_folder(tmp_path)
    monkeypatch.delenv("LOCAL_RANK")
    lock.take_folder(tmp_path)
    lock.take_folder(tmp_path)  # as a part of the run does
    lock.release()
    assert not list(tmp_path.iterdir())


def test_a_file_system_without_locks_is_told_once(tmp_path, monkeypatch, caplog):
    def refuse(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.lockf", refuse)
    monkeypatch.setattr(lock.log, "propagate", True)
    lock.take_folder(tmp_path)
    lock.take_folder(tmp_path)
    (record,) = caplog.records
    assert "has no locks (Operation not supported): start no second command" in record.message


@pytest.mark.parametrize("again", [False, True])
def test_a_folder_that_was_removed_is_noticed(tmp_path, again):
    """Trap: a folder that another run made in its place may have the same inode."""
    folder = tmp_path / "run"
    folder.mkdir()
    lock.take_folder(folder)
    lock.check(folder / "metrics.csv")
    (folder / ".lock").unlink()
    lock.check(folder / "metrics.csv")
    os.rmdir(folder)
    if again:
        folder.mkdir()
    with pytest.raises(UserError, match=r"metrics.csv cannot be written, .* removed or renamed"):
        lock.check(folder / "metrics.csv")
    lock.check(tmp_path / "elsewhere")


def test_a_disk_that_fails_at_the_end_keeps_nothing_locked(tmp_path, monkeypatch):
    """Trap: a network disk may tell of a full one as late as this."""
    close = os.close

    def closed_and_failed(descriptor):
        close(descriptor)
        raise OSError(28, "No space left on device")

    lock.take_folder(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "close", closed_and_failed)
        lock.release()
    lock.take_folder(tmp_path)
    lock.release()
