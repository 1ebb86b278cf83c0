import json
import os
import stat
from pathlib import Path

import pytest

from lt_lightning.errors import UserError
from lt_lightning.runs.files import write_whole
from lt_lightning.runs.results import read_results, write_results


def minimal():
    evaluation = {
        "checkpoint": {},
        "images": 1,
        "overall": {},
        "groups": {},
        "classes": [],
        "reliability": {},
    }
    return {
        "schema_version": 1,
        "method": "m",
        "config": [],
        "command": [],
        "seeds": {"training": 0, "subset": 0},
        "flags": {"test_seen_during_training": False, "oracle": False},
        "data": dict.fromkeys(
            ["fingerprint", "class_names", "class_counts", "groups", "group_rule"]
        ),
        "training": {"seconds": 1.0, "epochs": 2, "parameters": 3},
        "metrics": {},
        "versions": {},
        "hardware": {},
        "evaluations": {"last": evaluation},
    }


def test_round_trip_by_folder_and_by_file(tmp_path):
    write_results(tmp_path / "new", minimal())
    assert read_results(tmp_path / "new") == minimal()
    assert read_results(str(tmp_path / "new" / "results.json")) == minimal()


def paths(content, start=()):
    for key, value in content.items():
        if (*start, key) != ("evaluations", "last"):
            yield (*start, key)
        if isinstance(value, dict) and key != "checkpoint":
            yield from paths(value, (*start, key))


@pytest.mark.parametrize("path", list(paths(minimal())), ids=".".join)
def test_every_missing_key_is_named(tmp_path, path):
    content = minimal()
    inner = content
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    write_results(tmp_path, content)
    with pytest.raises(UserError, match=path[-1]) as error:
        read_results(tmp_path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_other_versions(tmp_path, version):
    write_results(tmp_path, {**minimal(), "schema_version": version})
    with pytest.raises(UserError, match="reads 1: use the lt_lightning that wrote it"):
        read_results(tmp_path)


@pytest.mark.parametrize("text", ["", "{", '{"schema_version": 1', "\xff", "[" * 10])
def test_broken_json(tmp_path, text):
    (tmp_path / "results.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match="is damaged"):
        read_results(tmp_path)


@pytest.mark.parametrize("text", ["[]", "3", "{}", "null"])
def test_other_json(tmp_path, text):
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(UserError, match="has no schema_version"):
        read_results(tmp_path)


@pytest.mark.parametrize(("key", "value"), [("data", []), ("evaluations", {"last": 3})])
def test_wrong_kinds(tmp_path, key, value):
    write_results(tmp_path, {**minimal(), key: value})
    with pytest.raises(UserError, match="is wrong"):
        read_results(tmp_path)


def test_no_file(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        read_results(tmp_path)


def test_a_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    write_results(tmp_path, minimal())

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="No space left"):
        write_results(tmp_path, {**minimal(), "method": "other"})
    assert read_results(tmp_path)["method"] == "m"
    assert [p.name for p in tmp_path.iterdir()] == ["results.json"]


def test_not_a_number_is_never_written(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_results(tmp_path, {**minimal(), "x": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_the_mode_follows_the_umask(tmp_path):
    old = os.umask(0o027)
    try:
        write_whole(Path(tmp_path) / "a", b"x")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_names_in_any_script(tmp_path):
    write_results(tmp_path, {**minimal(), "method": "猫"})
    assert json.loads((tmp_path / "results.json").read_text("utf-8"))["method"] == "猫"
