"""What a disk says when it has no room or fails is told in one sentence, with or without a file."""

import errno
import os
import subprocess
import sys
import tempfile

import pytest

from lt_lightning.cli.words.errors import explain
from lt_lightning.errors import UserError
from lt_lightning.runs import folder as run_folder
from lt_lightning.runs import lock
from lt_lightning.runs.disk import FULL
from lt_lightning.runs.files import write_whole


@pytest.mark.parametrize("code", FULL)
@pytest.mark.parametrize("file", [None, "runs/a/0/config.yaml"])
def test_no_room_of_whatever_kind_is_told(code, file):
    """Trap: a quota is not a full disk, and `write` does not say of which file."""
    told = explain(OSError(code, os.strerror(code), file))
    assert told.startswith(
        f"the disk is full ({file or 'writing the run folder'}): free some space"
    )


@pytest.mark.parametrize("code", FULL)
def test_torch_says_it_in_its_own_words(code):
    error = RuntimeError(f"[enforce fail at inline_container.cc:603] {os.strerror(code)}")
    assert explain(error).startswith("the disk is full: free some space")


@pytest.mark.parametrize("code", [errno.EIO, errno.EROFS, errno.ESTALE])
def test_a_disk_that_fails_is_told_without_a_file_too(code):
    assert f"the disk failed ({os.strerror(code)})" in explain(OSError(code, os.strerror(code)))


def test_an_error_that_is_none_of_the_disk_stays_a_bug():
    assert explain(OSError(errno.EBADF, "Bad file descriptor")) is None


def test_no_temporary_folder_is_told(monkeypatch):
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: [])
    with pytest.raises(FileNotFoundError) as caught:
        tempfile._get_default_tempdir()
    assert "free some space, or set TMPDIR" in explain(caught.value)


def write(folder):
    write_whole(folder / "a", b"a")


def make(folder):
    run_folder.new_folder(folder, "name", "version")


@pytest.mark.parametrize("code", FULL)
@pytest.mark.parametrize(
    ("call", "does"), [("fsync", write), ("mkdir", make), ("open", lock.take_folder)]
)
def test_whoever_finds_no_room_says_so(code, call, does, tmp_path, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(UserError, match="free some space"):
            does(tmp_path)


def test_a_disk_that_lets_nobody_load_lightning_is_told_without_it():
    """Trap: the sentence was looked for behind an import of Lightning, which fails just so."""
    code = (
        "import sys\nsys.modules['lightning'] = sys.modules['torch'] = None\n"
        "from lt_lightning.cli.words.errors import explain\n"
        "print(explain(FileNotFoundError(2, \"No usable temporary directory found in ['/tmp']\")))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("no folder for temporary files can be written to"), done.stderr
