"""Whole or not at all, for every kind of thing that is written."""

import os
from pathlib import Path

import pytest

from lt_lightning.errors import UserError
from lt_lightning.runs.files import whole_file, whole_folder, write_whole

ROOT = Path(__file__).parents[2] / "lt_lightning"


def full(*_):
    raise OSError(28, "No space left on device")


def stopped_stream(file):
    with whole_file(file) as stream:
        stream.write(b"half")
        raise KeyError


def stopped_folder(folder):
    with whole_folder(folder, "go on") as aside:
        (aside / "c").write_bytes(b"x")
        raise KeyError


def test_a_stream_has_its_name_at_the_end_only(tmp_path):
    file = tmp_path / "new" / "rows.csv"
    with whole_file(file) as stream:
        stream.write(b"half")
        assert not file.exists()
    assert file.read_bytes() == b"half"
    assert [p.name for p in file.parent.iterdir()] == ["rows.csv"]


def test_a_stopped_stream_leaves_what_was_there(tmp_path):
    file = tmp_path / "rows.csv"
    file.write_bytes(b"before")
    with pytest.raises(KeyError):
        stopped_stream(file)
    assert file.read_bytes() == b"before"
    assert [p.name for p in tmp_path.iterdir()] == ["rows.csv"]


def test_a_full_disk_is_told_the_same_for_all(tmp_path, monkeypatch):
    sentence = r"could not be written \(No space left on device\): free some space and go on\.$"
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(UserError, match=sentence):
        write_whole(tmp_path / "a", b"x", "go on")
    with pytest.raises(UserError, match=sentence), whole_folder(tmp_path / "b", "go on") as aside:
        (aside / "c").write_bytes(b"x")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_comes_whole_or_not_at_all(tmp_path):
    with pytest.raises(KeyError):
        stopped_folder(tmp_path / "b")
    assert list(tmp_path.iterdir()) == []
    with whole_folder(tmp_path / "b", "go on") as aside:
        (aside / "c").write_bytes(b"x")
    assert [p.name for p in tmp_path.rglob("*")] == ["b", "c"]


def test_nothing_outside_of_the_room_renames_a_file():
    found = [
        file.relative_to(ROOT).as_posix()
        for file in ROOT.rglob("*.py")
        if "os.replace(" in file.read_text(encoding="utf-8")
    ]
    others = [name for name in found if not name.startswith("runs/")]
    assert [name for name in others if name != "callbacks/run_logger.py"] == []
