"""Small records: written whole, of one version, and one sentence about whatever else lies there."""

import os

import pytest

from lt_lightning.errors import Refused, UserError
from lt_lightning.runs.record_file import read_record, write_record


def test_what_was_written_is_read(tmp_path):
    file = tmp_path / "record.json"
    assert read_record(file, 3, dict, "go on") is None
    write_record(file, 3, {"a": [1, 2.5], "b": "ü"}, "go on")
    assert read_record(file, 3, dict, "go on") == {"a": [1, 2.5], "b": "ü"}
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_record(file, 3, {"a": float("nan")}, "go on")
    assert read_record(file, 3, dict, "go on") == {"a": [1, 2.5], "b": "ü"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "Expecting"),
        ("[3]", "no mapping"),
        ("{}", "'None', not 3"),
        ('{"schema_version": 2}', "'2', not 3"),
        ('{"schema_version": true}', "'True', not 3"),
        ('{"schema_version": 3.0}', "'3.0', not 3"),
        ('{"schema_version": 3}', "'a'"),
        ('{"schema_version": 3, "a": NaN}', "NaN"),
        ('{"schema_version": 3, "a": 1, "a": 1}', "twice"),
    ],
)
def test_what_is_no_record_is_one_sentence_with_the_remedy(tmp_path, text, told):
    file = tmp_path / "record.json"
    file.write_text(text)
    with pytest.raises(UserError, match=r"record\.json is damaged \(.*\): begin anew\.$") as raised:
        read_record(file, 3, lambda content: content["a"], "begin anew")
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "error", [ValueError("No.\nNever"), TypeError(), Refused("--x is no option."), KeyError("k")]
)
def test_whatever_the_reader_finds_wrong_is_told(tmp_path, error):
    file = tmp_path / "record.json"
    write_record(file, 1, {}, "go on")

    def parse(content):
        raise error

    with pytest.raises(UserError, match=r"is damaged \([^\n.]*\): begin anew\.$"):
        read_record(file, 1, parse, "begin anew")


def test_a_pipe_is_refused_at_once(tmp_path):
    file = tmp_path / "record.json"
    os.mkfifo(file)
    with pytest.raises(UserError, match="is damaged"):
        read_record(file, 1, dict, "begin anew")
