"""The documents say what is true: each block runs, each command is understood, numbers are ours."""

import json
import re
import statistics
from pathlib import Path

import pytest
import yaml
from documents import (
    CONFIGS,
    DOCUMENTS,
    ROOT,
    blocks,
    blocks_of,
    commands_of,
    document_commands,
    header_commands,
)
from lt_parsed import stopped
from lt_runs import in_process, put_back
from two_classes import tail_accuracy

from lt_lightning.cli.commands.sweep import asked
from manual import pages

LANGUAGES = {"python", "bash", "yaml", "text"}
PYTHON = [file for file in DOCUMENTS if any(b.language == "python" for b in blocks_of(file))]
COMMANDS = [*document_commands("lt"), *header_commands()]
PARSED = ("fit", "test", "validate")  # by LightningCLI; other commands have a parser of their own
ASKED = ("--help", "--version", "methods", "--model.help")
MEASURED = ("macro", "many", "medium", "worst class", "ECE")
NAME = re.compile(r"\[[^\]]*\]\(([^)#]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("block", blocks(), ids=lambda block: block.name)
def test_block_has_a_language(block):
    assert block.language in LANGUAGES
    assert not block.reason or len(block.reason) > 10


def test_collector_sees_what_the_documents_show():
    names = {block.file.name for block in blocks()}
    assert {"README.md", "first_steps.md", "adding.md"} <= names
    assert {"fit", "test", "predict", "report", "cam", "calibrate"} <= {
        command.words[1] for command in COMMANDS
    }
    heads = {command.where for command in header_commands()}
    for file in CONFIGS:
        head = "".join(x for x in file.read_text("utf-8").splitlines(True) if x.startswith("#"))
        if re.search(r"(^|\s)--[a-z_.]+ ", head, flags=re.MULTILINE):
            assert str(file.relative_to(ROOT)) in heads, file


@pytest.fixture
def in_copy(tmp_path, monkeypatch):
    """Stand in an empty folder that has the repository's configs, results and examples."""
    for name in ("configs", "results", "examples"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(ROOT / "examples" / "my_method"))
    return tmp_path


@pytest.fixture
def parse(in_copy, monkeypatch):
    """Return functions that parse a command; of a run it needs a config alone."""
    run = in_copy / "RUN"
    (run / "checkpoints").mkdir(parents=True)
    (run / "checkpoints" / "last.ckpt").touch()
    config = yaml.safe_load((ROOT / "configs" / "ce.yaml").read_text("utf-8"))
    (run / "config.yaml").write_text(yaml.safe_dump(config), "utf-8")
    (in_copy / "ADDED").mkdir()
    (in_copy / "ADDED" / "data.yaml").write_text(yaml.safe_dump({"data": config["data"]}), "utf-8")
    stops = ("_choose_folder", "instantiate_classes")  # of fit, of the others
    return stopped(in_process, monkeypatch, lambda cli: cli.options, *stops)


def _at_run(words):
    """Return the words with the run of this test in the place of any other."""
    return [re.sub(r"^runs/[\w/-]+$", "RUN", word) for word in words]


def _once_each():
    """Return the commands to parse; those without a new option, and of configs, are slow."""
    seen, found, asked = set(), [], set()
    for command in sorted(COMMANDS, key=lambda c: -len(c.words)):
        if command.words[1] not in PARSED or set(ASKED) & set(command.words):
            continue
        keys = {word for word in command.words if word.startswith("--")}
        if command.words not in asked:
            told = command.name.startswith(("README.md", "docs/"))  # what a newcomer types
            marks = [pytest.mark.slow] if keys <= seen or not told else []
            found.append(pytest.param(command, id=command.name, marks=marks))
        seen |= keys
        asked.add(command.words)
    return found


@pytest.mark.parametrize("command", _once_each())
def test_parser_understands(command, parse):
    assert parse(*_at_run(command.words[1:]))


@pytest.mark.parametrize(
    "command",
    [c for c in COMMANDS if c.words[1] not in (*PARSED, "methods", "sweep")],
    ids=lambda command: command.name,
)
def test_own_parser_understands(command, in_copy):
    """The run is missing, status 1; a command line that is refused has the status 2."""
    words = [re.sub(r"^(RUN|FOLDER_RUN|runs/.*)$", "runs/none/0", word) for word in command.words]
    answer = in_process([*words[1:], *(["runs/none/0"] if words[1] == "dashboard" else [])])
    assert answer.status == 1, answer.err
    assert any(name in answer.err for name in ("runs/none/0", "DIR", "SHOP", "LISTED"))


@pytest.mark.parametrize(
    "command", [c for c in COMMANDS if c.words[1] == "sweep"], ids=lambda command: command.name
)
def test_sweep_is_understood(command, in_copy):
    options, groups = asked(list(command.words[2:]))
    assert options.status or groups


def test_commands_are_of_programs_that_are_known():
    targets = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.M))
    for block in blocks():
        if block.language != "bash" or block.reason:
            continue
        for command in commands_of(block):
            program, *rest = command.words
            assert program in ("lt", "make"), f"{command.name}: say why it is not run"
            assert program != "make" or set(rest) <= targets, command.name
    texts = "".join(file.read_text("utf-8") for file in DOCUMENTS)
    extras = set(re.findall(r"lt_lightning\[([a-z]+)\]", texts))
    known = (ROOT / "pyproject.toml").read_text("utf-8").split("[project.optional-dependencies]")[1]
    assert extras <= set(re.findall(r"^([a-z]+) = \[", known, flags=re.MULTILINE))


@pytest.mark.parametrize("file", PYTHON, ids=lambda file: str(file.relative_to(ROOT)))
def test_python_blocks_run_in_their_order(file, in_copy, monkeypatch):
    monkeypatch.setattr("lt_lightning.callbacks.RunRecord._draw", lambda *_: None)
    names = {"__name__": "document"}
    with put_back():
        for block in blocks_of(file):
            if block.language == "python" and not block.reason:
                exec(compile(block.text, block.name, "exec"), names)
    from lt_lightning.losses import LDAM, CrossEntropy, Loss

    kinds = {kind for kind in names.values() if isinstance(kind, type) and issubclass(kind, Loss)}
    plain = tail_accuracy(CrossEntropy)
    for kind in kinds - {CrossEntropy, LDAM, Loss}:  # LDAM wants scaled cosines
        assert tail_accuracy(kind) > plain + 0.1, f"{kind.__name__} is no remedy"


@pytest.mark.parametrize(
    "block", [b for b in blocks() if b.language == "yaml"], ids=lambda b: b.name
)
def test_yaml_block_is_valid(block):
    assert isinstance(yaml.safe_load(block.text), dict)


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_links_lead_to_files(file):
    made = set(pages.page_names())
    for name in NAME.findall(file.read_text("utf-8")):
        if "://" in name:
            continue
        target = (file.parent / name).resolve()
        inside = target.relative_to(ROOT / "docs") if target.is_relative_to(ROOT / "docs") else ""
        assert target.exists() or str(inside) in made, name


def _evaluations():
    """Yield what a row of a table shows of each test that was measured, in percent."""
    for file in (ROOT / "results").rglob("results.json"):
        for test in json.loads(file.read_text("utf-8"))["evaluations"].values():
            overall, groups = test["overall"], test["groups"]
            if not {"many", "medium"} <= groups.keys():
                continue
            yield (
                overall["acc_macro"],
                groups["many"]["acc"],
                groups["medium"]["acc"],
                overall["acc_worst"],
                overall["ece"],
            )


def _rows(text):
    """Yield the five numbers of each row of the tables that have these columns."""
    places = None
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        heads = [cell.removesuffix(" %") for cell in cells]
        if not line.startswith("|"):
            places = None
        elif set(MEASURED) <= set(heads):
            places = [heads.index(name) for name in MEASURED]
        elif places is not None and not line.startswith("|---"):
            yield cells[0], [cells[place].strip("*") for place in places]


def _is_rounded(shown, value):
    digits = len(shown.partition(".")[2])
    return abs(float(shown) - 100 * value) <= 0.5 * 10**-digits + 1e-6


@pytest.mark.parametrize("name", ["README.md", "results/README.md"])
def test_every_measured_row_is_that_of_one_test_in_results(name):
    tests = list(_evaluations())
    rows = list(_rows(Path(ROOT / name).read_text("utf-8")))
    assert len(rows) >= 8
    for label, shown in rows:
        if "±" in shown[0]:  # of several seeds, which tests/test_manual.py computes
            continue
        assert any(all(map(_is_rounded, shown, test)) for test in tests), (label, shown)


def test_readme_is_short():
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) < 150


_OF_SEEDS = {
    "cross-entropy": ("ce", "last"),
    "... then logit adjustment": ("ce", "last+logit_adjustment_tau_1"),
    "... then tau-normalisation": ("ce", "last+tau_norm_1"),
    "cRT": ("crt", "last"),
    "Balanced Softmax": ("balanced_softmax", "last"),
}
_OF_NETWORKS = {
    "cross-entropy from scratch": ("ce_scratch", "last"),
    "... then logit adjustment": ("ce_scratch", "last+logit_adjustment_tau_1"),
    "cross-entropy from ImageNet weights": ("ce_tuned", "last"),
    "... of these, then logit adjustment": ("ce_tuned", "last+logit_adjustment_tau_1"),
    "Balanced Softmax from ImageNet weights": ("balanced_softmax_tuned", "last"),
}
# Folder, and the rows of its table.
_MEANS = [
    ("signs_short", _OF_SEEDS),
    ("clothes_short", _OF_SEEDS),
    ("clothes_tuned", _OF_NETWORKS),
]


@pytest.mark.parametrize(
    ("folder", "method", "row"),
    [(folder, *row) for folder, table in _MEANS for row in table.items()],
)
def test_means_over_seeds_are_those_of_the_results(folder, method, row):
    text = (ROOT / "results" / "README.md").read_text("utf-8")
    table = text.split(f": {folder}/")[-1].split("-->\n\n")[1].split("\n\n")[0]
    (line,) = [line for line in table.splitlines() if line.startswith(f"| {method} |")]
    heads = [head.strip() for head in table.splitlines()[0].strip("|").split("|")]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    macro, overall, ece, n = (cells[heads.index(head)] for head in ("macro", "all", "ECE", "n"))
    found = []
    for file in sorted((ROOT / "results" / folder).glob(f"{row[0]}_seed*/results.json")):
        tests = json.loads(file.read_text("utf-8"))["evaluations"]
        found += [tests[row[1]]["overall"]] if row[1] in tests else []
    assert int(n) == len(found) > 1
    for shown, name in ((macro, "acc_macro"), (overall, "acc"), (ece, "ece")):
        values = [100 * one[name] for one in found]
        assert shown == f"{statistics.mean(values):.1f} ± {statistics.stdev(values):.1f}"
