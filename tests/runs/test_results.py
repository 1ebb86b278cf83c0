import json
import os
import stat
from pathlib import Path

import pytest
from minimal_results import minimal

from lt_lightning.errors import UserError
from lt_lightning.runs.about import _of_another_run
from lt_lightning.runs.files import write_whole
from lt_lightning.runs.results import read_results, write_results

RESULTS = Path(__file__).parents[2] / "results"


def put(folder, content):
    """Write what `write_results` would refuse, as another program may."""
    (folder / "results.json").write_text(json.dumps(content), encoding="utf-8")


def test_what_could_not_be_read_again_is_not_written(tmp_path):
    content = minimal()
    content["evaluations"]["last"]["overall"]["nll"] = 1e31
    with pytest.raises(UserError, match=r"evaluations\.last\.overall is wrong\) and are not"):
        write_results(tmp_path, content)
    assert not (tmp_path / "results.json").exists()


def test_round_trip_by_folder_and_by_file(tmp_path):
    write_results(tmp_path / "new", minimal())
    assert read_results(tmp_path / "new") == minimal()
    assert read_results(str(tmp_path / "new" / "results.json")) == minimal()


def paths(content, start=()):
    for key, value in content.items():
        if start[-1:] != ("groups",) and (*start, key) != ("evaluations", "last"):
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
    put(tmp_path, content)
    with pytest.raises(UserError, match=path[-1]) as error:
        read_results(tmp_path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("version", [0, 2, "1", None, True, 1.0])
def test_other_versions(tmp_path, version):
    write_results(tmp_path, {**minimal(), "schema_version": version})
    with pytest.raises(UserError, match="reads 1: use the lt_lightning that wrote it"):
        read_results(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", '{"schema_version": 1', "\xff", "[" * 10),
        "[" * 100_000,
        "[" * 500 + "]" * 500,
        '{"schema_version": 1, "x": ' + "9" * 5000 + "}",
        '{"schema_version": 1, "x": NaN}',
        '{"schema_version": 1, "x": [-Infinity]}',
        '{"schema_version": 1, "x": 1e999}',
        '{"schema_version": 1, "x": "\\ud800"}',
        '{"schema_version": 1, "\\udfff": 0}',
        '{"schema_version": 1, "x": {"acc": 0.1, "acc": 0.9}}',
    ],
    ids=range(14),
)
def test_broken_json(tmp_path, text):
    (tmp_path / "results.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match="is damaged") as error:
        read_results(tmp_path)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400


def test_neither_a_pipe_nor_a_huge_file_is_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match="no regular file"):
        read_results(tmp_path / "pipe")
    with (tmp_path / "results.json").open("wb") as stream:
        stream.truncate(2**40)  # of holes
    with pytest.raises(UserError, match="1,099,511,627,776 bytes"):
        read_results(tmp_path)


def places(content, start=()):
    """The path of every value, but for those in `checkpoint` and of extra keys."""
    items = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in items:
        yield (*start, key)
        if isinstance(value, dict | list):
            yield from places(value, (*start, key))


@pytest.mark.parametrize("value", [{}, [[]], "x", 1.5, True, -1, 10**400, None, [None]], ids=repr)
def test_no_value_of_another_type_is_let_through(tmp_path, value):
    """Each place takes a value of its own type, or the whole file is refused with its name."""
    free = {("seeds", "training"), ("seeds", "subset"), ("training", "seconds"),
            ("training", "epochs"), ("training", "parameters"),
            ("evaluations", "last", "classes", 0, "group"),
            ("evaluations", "last", "classes", 0, "accuracy")}  # fmt: skip
    open_maps = {("metrics",), ("versions",), ("hardware",), ("data", "groups"),
                 ("evaluations", "last", "checkpoint"), ("evaluations", "last", "overall"),
                 ("evaluations", "last", "groups"),
                 ("evaluations", "last", "reliability")}  # fmt: skip
    for path in places(minimal()):
        content = minimal()
        inner = content
        for key in path[:-1]:
            inner = inner[key]
        fits = (
            (value is None and path in free)
            or (value == {} and path in open_maps)
            or (type(value) is type(inner[path[-1]]) and isinstance(value, str | bool))
            or (type(value) is float and path == ("training", "seconds"))
            or (value == -1 and path[0] == "seeds" and path in free)
        )
        inner[path[-1]] = value
        put(tmp_path, content)
        if fits:
            read_results(tmp_path)
            continue
        with pytest.raises(UserError, match=r"results\.json") as error:
            read_results(tmp_path)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["[]", "3", "{}", "null"])
def test_other_json(tmp_path, text):
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(UserError, match="has no schema_version"):
        read_results(tmp_path)


@pytest.mark.parametrize(("key", "value"), [("data", []), ("evaluations", {"last": 3})])
def test_wrong_kinds(tmp_path, key, value):
    put(tmp_path, {**minimal(), key: value})
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


def test_a_path_that_is_no_utf8_is_written_escaped(tmp_path):
    write_results(tmp_path, {**minimal(), "command": ["lt", os.fsdecode(b"a\xffb")]})
    assert read_results(tmp_path)["command"] == ["lt", r"a\udcffb"]


@pytest.mark.parametrize("file", sorted(RESULTS.glob("*/*/results.json"))[::7], ids=str)
def test_what_was_written_once_is_read(file):
    assert read_results(file)["schema_version"] == 1


def test_a_run_whose_pictures_changed_is_told_so_where_no_option_changes_it():
    """Trap: nothing was on the command line, and the remedy was to leave it out."""
    file = Path("runs/x/0/results.json")
    told = "The training pictures are no longer those that runs/x/0 was trained on (its fingerprint"
    assert _of_another_run(file, "fingerprint", "a", "b", ["lt", "test", "runs/x/0"]).startswith(
        told
    )
    for command in ("lt test runs/x/0 --config more.yaml", "lt fit --ckpt_path last"):
        words = command.split()
        assert "is of another run" in _of_another_run(file, "fingerprint", "a", "b", words)
    words = ["lt", "test", "runs/x/0"]
    assert "is of another run" in _of_another_run(file, "method", "a", "b", words)
