"""A text that stands for more than it says is refused in words, in a file and in an option."""

import os
from pathlib import Path

import pytest
import yaml
from jsonargparse import get_loader

from lt_lightning.cli.words.parser import LTParser
from lt_lightning.errors import Refused, UserError
from lt_lightning.runs import config_files
from lt_lightning.runs.config import config_of
from lt_lightning.runs.yaml_file import Endless, check_value, is_hidden_null, read_yaml, yaml_text

BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{k}: &a{k} [*a{k - 1}, *a{k - 1}]\n" for k in range(1, 40))
TEXTS = {
    "itself": ("a: &a [*a]\n", "holds itself"),
    "bomb": (BOMB, "more than"),
    "comment": ("a: 1\n#" + "x" * 5_000_000, "bytes"),
    "digits": ("a: " + "9" * 5000, "a number of 5,000 digits"),
    "levels": ("a: " + "[" * 10_000 + "]" * 10_000, "levels"),
    "python": ("a: !!python/object/apply:os.system [ls]\n", "the tag 'tag:yaml.org,2002:python"),
    "set": ("a: !!set {x}\n", "the tag"),
    "date": ("a: !!timestamp x\n", "the tag"),
    "binary": ("a: !!binary x\n", "the tag"),
    "null-key": ("~: 1\n", "the key None"),
    "truth-key": ("no: 1\n", "the key False"),
    "list-key": ("a: {[x]: 1}\n", "valid YAML"),
    "nul": ("a: 'x\0'\n", "valid YAML"),
    "tab": ("a:\n\t- 1\n", "valid YAML"),
    "twice": ("a: 1\na: 2\n", "line 2: the key 'a' stands there twice"),
    "config": ("config: b.yaml\n", "names a config"),
    "input": ("a: '-'\n", "standard input"),
    "device": ("a: /dev/zero\n", "a pipe or a device"),
    "no-class": ("a: {class_path: 3}\n", "a.class_path is 3: give the name of a class"),
    "empty": ("", "holds nothing"),
    "list": ("[1]", "holds a list"),
}
WHOLE = ["itself", "bomb", "digits", "levels", "python"]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", TEXTS)
def test_a_file_is_refused_in_words(tmp_path, name):
    text, says = TEXTS[name]
    file = tmp_path / "x.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(Refused) as caught:
        config_files.check(["--config", str(file)])
    assert says in caught.value.sentence
    assert len(caught.value.sentence) < 1000


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", [*WHOLE, "no-class", "input"])
def test_a_value_of_the_command_line_is_refused_as_a_file_is(name):
    text = TEXTS[name][0].partition(": ")[2] if name != "bomb" else BOMB
    value = text.strip("'\n") if name == "input" else text
    with pytest.raises(Refused, match=r"2|data\.profile"):
        config_files.check([f"--data.profile={value}"])


@pytest.mark.timeout(20)
def test_a_pipe_is_not_opened(tmp_path):
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    for argv in (["--config", str(pipe)], [f"--model={pipe}"], [f"--model.loss={pipe}"]):
        with pytest.raises(Refused):
            config_files.check(argv)
    with pytest.raises(Endless):
        check_value(str(pipe))


@pytest.mark.parametrize("text", ["x", "/nowhere", "a: [", "2026-13-45", "1e-3", "{a: 1}", "!x"])
def test_a_plain_value_is_let_through(text):
    check_value(text)


def test_other_writings_are_read(tmp_path):
    file = tmp_path / "x.yaml"
    for text in ("\ufeffa: 1\n", "a: 1\r\n", "a: &x 1\n", "b: &b {a: 1}\n<<: *b\n"):
        file.write_text(text, encoding="utf-8", newline="")
        assert read_yaml(file)["a"] == 1
    file.write_text("a: 2026-13-45\n", encoding="utf-8")
    assert read_yaml(file)["a"] == "2026-13-45"


def test_the_config_of_a_run_is_read_by_the_same_rules(tmp_path: Path):
    (tmp_path / "config.yaml").write_text(TEXTS["itself"][0], encoding="utf-8")
    with pytest.raises(ValueError, match="damaged"):
        config_of(tmp_path)


def test_a_group_of_a_run_that_is_none_is_damage(tmp_path):
    parts = {"seed_everything": 0, "trainer": {}, "model": {}, "data": {}}
    for name in ("trainer", "model", "data"):
        (tmp_path / "config.yaml").write_text(yaml.safe_dump({**parts, name: "x"}))
        with pytest.raises(UserError, match="damaged"):
            config_of(tmp_path)


def test_a_text_is_nothing_only_where_it_says_so():
    assert all(map(is_hidden_null, ["#a", "# a", " #a", "&a", "---", "!!null", "#a\n# b"]))
    plain = [
        "",
        "null",
        "~",
        "NULL",
        "a #b",
        "'#a'",
        "./#a",
        "#a\nb",
        "!x",
        "-",
        "-1",
        ".5",
        "- #a",
    ]
    assert not any(map(is_hidden_null, plain))


@pytest.mark.parametrize(
    "text",
    [
        "1e3",
        "1E3",
        "-1.e-3",
        "+1e3",
        "1_0e3",
        "1e+3",
        "0x10",
        "1_000",
        "1:30",
        "0o17",
        "017",
        ".5",
        "nan",
        ".NaN",
        "-.inf",
        "no",
        "null",
        "~",
        "",
        "2020-01-01",
        "1000.0",
        "#h",
        "- a",
        "a: b",
    ],
)
def test_what_is_written_is_read_as_the_text_that_it_was(text: str, tmp_path: Path) -> None:
    content = {"a": {text: [text]}}
    (tmp_path / "a.yaml").write_text(yaml_text(content), "utf-8")
    assert read_yaml(tmp_path / "a.yaml") == get_loader("lt")(yaml_text(content)) == content


def test_numbers_are_written_as_numbers_and_a_config_as_it_is_read() -> None:
    numbers = {"a": [1, -2, 1e-7, 1e20, 0.5, float("inf"), None, True]}
    assert get_loader("lt")(yaml_text(numbers)) == numbers
    assert "'" not in yaml_text(numbers)
    parser = LTParser()
    parser.add_argument("--root", type=str)
    assert parser.parse_string(parser.dump(parser.parse_args(["--root=1e3"]))).root == "1e3"


@pytest.mark.parametrize("loaded", [read_yaml, lambda file: get_loader("lt")(file.read_text())])
def test_a_time_is_text(tmp_path, loaded):
    """Trap: 10:00:00:00 was a number to the base of 60, and --trainer.max_time=2160000."""
    file = tmp_path / "a.yaml"
    file.write_text(
        "# größer: 1:30\n{a: &x 10:00:00:00, b: [12:30:45.5, *x], c: 1, d: 2026-01-01, e: 0.5,\n"
        "f: 1:30, g: '1:30', h: \"2:30\", é: 07:15, 1:45: i, j: 1:99}\n"
    )
    assert loaded(file) == {
        "a": "10:00:00:00", "b": ["12:30:45.5", "10:00:00:00"], "c": 1, "d": "2026-01-01",
        "e": 0.5, "f": "1:30", "g": "1:30", "h": "2:30", "é": "07:15", "1:45": "i", "j": "1:99",
    }  # fmt: skip


@pytest.mark.parametrize("value", ["on", "1.10", "1e3", "007", "0x1F", ".inf"])
def test_a_text_that_yaml_takes_for_another_is_told_to_be_put_in_quotes(tmp_path, value):
    file = tmp_path / "a.yaml"
    parser = LTParser()
    parser.add_argument("--name", type=str | None)
    file.write_text(f"name: {value}\n")
    with pytest.raises(Refused) as refused:
        parser.parse_path(str(file))
    assert refused.value.sentence.endswith(
        "give a text or null (in quotes where YAML takes it for a number or a truth value)."
    )
    file.write_text(f"name: '{value}'\n")
    assert parser.parse_path(str(file)).name == value
