"""`lt report`: what it takes, what it refuses, and that it starts at once."""

import copy
import subprocess
import sys
import time

import pytest

from lt_lightning.report.command import report


@pytest.fixture
def runs(write, cifar, tmp_path):
    write("ce/0", cifar(accuracy=0.7))
    write("bbn/0", cifar(method="bbn", accuracy=0.8), curves={"train/loss": [2.0, 1.0]})
    return tmp_path / "runs"


def test_text_has_a_row_for_each_run(runs):
    text, status = report([str(runs)])
    assert status == 0
    lines = text.splitlines()
    assert lines[0].split()[:3] == ["run", "all", "%"]
    rows = {line.split()[0]: line.split() for line in lines if "/0 " in line}
    assert set(rows) == {"ce/0", "bbn/0"}
    assert rows["bbn/0"][1] == "80.00"


def test_a_folder_that_is_given_from_inside_has_its_whole_name(runs, monkeypatch):
    folder = runs / "ce" / "0"
    monkeypatch.chdir(folder)

    text, status = report(["."])

    assert status == 0, text
    assert f"\n{folder.parent.name}/{folder.name} " in text


def test_the_same_run_is_taken_once(runs):
    text, _ = report([str(runs), str(runs / "ce"), str(runs / "ce/0/results.json")])
    assert text.count("ce/0 ") == 1


def test_out_writes_the_page(runs, tmp_path):
    out = tmp_path / "new" / "report.html"
    assert report([str(runs), "--out", str(out)]) == (f"{out}: 2 runs", 0)
    assert out.read_text("utf-8").startswith("<!DOCTYPE html>")
    assert [file.name for file in out.parent.iterdir()] == ["report.html"]
    assert report([str(runs / "ce"), "--out", str(out)]) == (f"{out}: 1 run", 0)  # its own page


@pytest.mark.parametrize(
    ("name", "start"),
    [("a.md", "Test accuracy"), ("a.csv", "method,"), ("a.tex", "% \\use"), ("a.txt", "run ")],
)
def test_the_name_of_the_file_tells_the_format(runs, tmp_path, name, start):
    assert report([str(runs), "--out", str(tmp_path / name)])[1] == 0
    assert (tmp_path / name).read_text("utf-8").startswith(start)


def test_a_foreign_file_is_not_written_over(runs, tmp_path):
    out = tmp_path / "thesis.html"
    out.write_text("mine")
    text, status = report([str(runs), "--out", str(out)])
    assert status == 1
    assert "exists and is no page of lt report: add --force" in text
    assert out.read_text() == "mine"
    assert report([str(runs), "--out", str(out), "--force"])[1] == 0


@pytest.mark.parametrize("style", ["md", "latex", "csv"])
def test_formats_print(runs, style):
    text, status = report([str(runs), "--format", style])
    assert status == 0
    assert "79.82" in text  # the published value beside ours


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "required"),
        (["--format", "pdf"], "'pdf'"),
        (["--format", "html"], "--out FILE.html"),
        (["--out", "report.pdf"], "report.pdf"),
        (["--nothing"], "--nothing"),
    ],
)
def test_a_wrong_command_line_is_one_sentence(runs, arguments, word):
    text, status = report(([str(runs)] if arguments else []) + arguments)
    assert status == 2
    assert word in text
    assert "\n" not in text


def damaged():
    """Ways to break a results.json: a path to a value, and what stands there instead."""
    last = "evaluations/last"
    return [
        ("schema_version", 2),
        ("schema_version", None),
        ("evaluations", {}),
        ("evaluations/last/classes", []),
        (f"{last}/classes/0", 3),
        (f"{last}/classes/0/accuracy", "high"),
        (f"{last}/overall/acc", "high"),
        (f"{last}/overall/acc", float("nan")),
        (f"{last}/groups/many", 0.5),
        (f"{last}/images", -1),
        (f"{last}/images", 1.5),
        (f"{last}/reliability/total", [1]),
        (f"{last}/reliability/correct", None),
        (f"{last}/reliability/edges", "all"),
        (f"{last}/weight_norms", [1.0]),
        (f"{last}/weight_norms", [None] * 10),
        (f"{last}/tau_curve", [[0.0]]),
        (f"{last}/tau_curve", [[0.0, None]]),
        (f"{last}/confusion", ["0:1"]),
        (f"{last}/confusion", ["0:1 x"] * 10),
        (f"{last}/confusion", ["10:1"] * 10),
        (f"{last}/confusion", [3] * 10),
        ("data/class_counts", [1, 2]),
        ("data/class_counts", [1.5] * 10),
        ("data/class_names", []),
        ("data/groups", {"many": [10]}),
        ("training/seconds", "long"),
        ("training/parameters", True),
        (f"{last}/checkpoint/chosen_by", 3),
        (f"{last}/pretext", {"rotation_acc": None}),
        (f"{last}/overall/acc", 10**400),
        (f"{last}/overall/acc", 1e300),
        (f"{last}/overall/ece", [1]),
        ("hardware/device", {}),
        ("flags/oracle", "no"),
        ("seeds/training", [0]),
    ]


@pytest.mark.parametrize(("path", "value"), damaged())
def test_a_broken_results_json_is_one_sentence_with_its_name(write, cifar, tmp_path, path, value):
    content = copy.deepcopy(cifar())
    *keys, last = path.split("/")
    inner = content
    for key in keys:
        inner = inner[int(key) if isinstance(inner, list) else key]
    inner[int(last) if isinstance(inner, list) else last] = value
    folder = write("ce/0", content)
    for suffix in ("html", "md", "csv", "tex", "txt"):
        out = tmp_path / f"report.{suffix}"
        text, status = report([str(folder), "--out", str(out)])
        assert status == 1
        assert str(folder / "results.json") in text
        assert "\n" not in text
        assert not out.exists()


def test_a_file_cut_in_the_middle_is_one_sentence(runs):
    file = runs / "ce/0/results.json"
    file.write_text(file.read_text()[:500])
    text, status = report([str(runs), "--format", "md"])
    assert status == 1
    assert "is damaged" in text
    assert "\n" not in text


@pytest.mark.parametrize(
    "text", ["epoch,step,train/loss\n0.0,1,high\n", "epoch,a\n,1\n", "a,b\n1,2\n"]
)
def test_broken_curves_are_one_sentence(runs, tmp_path, text):
    (runs / "bbn/0/metrics.csv").write_text(text)
    answer, status = report([str(runs), "--out", str(tmp_path / "a.html")])
    assert status == 1
    assert "metrics.csv is damaged" in answer
    assert "\n" not in answer


def test_a_broken_config_is_one_sentence(runs):
    (runs / "bbn/0/config.yaml").write_text("a: [")
    answer, status = report([str(runs), "--format", "md"])
    assert status == 1
    assert "config.yaml is damaged" in answer
    assert "\n" not in answer


def test_no_run_is_one_sentence(tmp_path):
    text, status = report([str(tmp_path)])
    assert status == 1
    assert "holds no finished run" in text


def test_a_run_without_results_is_passed_over_with_a_line(runs, capsys):
    for name in ("ce/1", "ldam/0"):
        (runs / name).mkdir(parents=True)
        (runs / name / "config.yaml").write_text("{}")
    folders = [str(runs / "ce"), str(runs / "bbn/0"), str(runs / "ldam")]
    text, status = report(folders)
    assert status == 0
    assert [line for line in text.splitlines() if line.startswith(("ce/0", "bbn/0"))]
    assert capsys.readouterr().err.splitlines() == [
        f"lt: {runs / name} has no results yet and is passed over." for name in ("ce/1", "ldam/0")
    ]


@pytest.mark.parametrize("begun", ["config.yaml", "command.json"])
def test_a_pre_training_that_is_done_is_no_finished_run(write, results, tmp_path, begun, capsys):
    """Trap: `lt report runs/x` gave a row 0/pretrain while run 0 there was still training."""
    write("x/0/pretrain", results())
    (tmp_path / "runs/x/0" / begun).write_text("{}")
    for path in ("runs/x", "runs"):
        text, status = report([str(tmp_path / path)])
        assert status == 1
        assert "holds no finished run" in text
    write("y/0", results())
    text, status = report([str(tmp_path / "runs")])
    assert (status, "pretrain" in text, "y/0" in text) == (0, False, True)
    assert capsys.readouterr().err.count("x/0 has no results yet and is passed over") == 1
    assert report([str(tmp_path / "runs/x/0/pretrain")])[1] == 0  # by its name


def test_what_is_passed_over_is_told_and_hides_nothing(runs, tmp_path, capsys):
    (runs / "empty").mkdir()
    inside = runs / "bbn" / "0" / "pretrain"
    inside.mkdir()
    (inside / "config.yaml").write_text("{}")
    text, status = report([str(runs / "empty"), str(runs / "bbn"), str(runs / "ce/0")])
    assert status == 0
    assert [line for line in text.splitlines() if line.startswith("ce/0")]
    assert capsys.readouterr().err.splitlines() == [
        f"lt: {runs / 'empty'} has no results yet and is passed over."
    ]
    text, status = report([str(runs / "empty"), str(tmp_path / "none"), str(runs / "ce/0")])
    assert status == 1
    assert str(tmp_path / "none") in text


def test_a_path_that_is_not_there_is_no_unfinished_run(runs):
    text, status = report([str(runs / "bbn"), str(runs / "bnn")])
    assert (status, text.count("holds no finished run")) == (1, 1)
    assert str(runs / "bnn") in text


def test_neither_torch_nor_matplotlib_is_loaded(runs, tmp_path):
    code = (
        "import sys\nfrom lt_lightning.cli.front import answer\n"
        "heavy = {'torch', 'lightning', 'matplotlib', 'numpy', 'scipy'}\n"
        "def ask(*more):\n"
        f"    text, status = answer(['report', {str(runs)!r}, *more])\n"
        "    assert status == 0, text\n"
        "    assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "ask()\nassert 'yaml' not in sys.modules\n"
        f"ask('--format', 'md')\nask('--out', {str(tmp_path / 'a.html')!r})\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_200_runs_take_less_than_10_seconds(write, cifar, tmp_path):
    curves = {name: [0.1] * 200 for name in ("train/loss", "val/acc", "val/acc_many")}
    for k in range(200):
        classes = (10, 100)[k % 2]
        content = cifar(classes, method=f"method{k // 10}", seed=k % 10)
        evaluation = content["evaluations"]["last"]
        evaluation["weight_norms"] = [1.0] * classes
        row = " ".join(f"{place}:2" for place in range(0, classes, 4))
        evaluation["confusion"] = [row] * classes
        write(f"method{k // 10}/{k % 10}", content, curves=curves)
    out = tmp_path / "report.html"
    start = time.monotonic()
    text, status = report([str(tmp_path / "runs"), "--out", str(out)])
    assert (text, status) == (f"{out}: 200 runs", 0)
    assert time.monotonic() - start < 10
    assert out.stat().st_size < 8_000_000
