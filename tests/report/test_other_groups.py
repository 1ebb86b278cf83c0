"""Groups of any name, in the order of the run, wherever numbers are shown."""

import csv
import io
import json
import re

import pytest
from lt_runs import in_process
from rich.console import Console

from lt_lightning.callbacks.group_table import GroupTable
from lt_lightning.figures.class_size import ClassAccuracy
from lt_lightning.figures.png import draw_class_accuracy, to_png
from lt_lightning.report.command import report
from lt_lightning.report.measures import group_names
from lt_lightning.report.page import page
from lt_lightning.report.run import Run

NAMES = ["head", "a, b", "x|y", "<b>R&D", "_under_", "少 尾", "[/all]$^$"]


def grouped(content, names):
    """The content with one group for each class, by these names."""
    evaluation = content["evaluations"]["last"]
    content["data"]["groups"] = {name: [k] for k, name in enumerate(names)}
    evaluation["groups"] = {
        name: {"acc": row["accuracy"], "classes": 1, "images": row["test_images"]}
        for name, row in zip(names, evaluation["classes"], strict=True)
    }
    for name, row in zip(names, evaluation["classes"], strict=True):
        row["group"] = name
    return content


@pytest.fixture
def runs(write, results, tmp_path):
    """Two runs of seven groups, whose accuracies fall from 60 to 40 %."""
    counts = (800, 400, 200, 100, 50, 20, 6)
    curves = {f"val/acc_{name}": [0.1, 0.2] for name in NAMES}
    for method in ("ce", "bbn"):
        content = grouped(results(counts, method=method), NAMES)
        path = f"{method}/0"
        write(path, content)
        with (tmp_path / "runs" / path / "metrics.csv").open("w", newline="") as stream:
            csv.writer(stream).writerows(
                [["epoch", "step", *curves], *([e, e, *[0.1 + e] * 7] for e in (0.0, 0.5))]
            )
    return tmp_path / "runs"


def test_the_table_of_the_terminal_has_a_column_for_each(runs):
    text, status = report([str(runs)])
    assert status == 0
    head, row = (next(t for t in text.splitlines() if t.startswith(s)) for s in ("run", "bbn/0"))
    places = [head.index(f"{name} %") for name in NAMES]
    assert places == sorted(places)
    assert re.findall(r"\d\d\.\d\d", row)[2:9] == [
        "60.00", "57.00", "53.00", "50.00", "47.00", "43.00", "40.00",
    ]  # fmt: skip
    assert not re.search(r"many|medium|few", head)


def test_markdown_and_latex_have_a_column_for_each(runs):
    text, _ = report([str(runs), "--format", "md"])
    head = next(line for line in text.splitlines() if "head %" in line)
    shown = ["head", "a, b", r"x\|y", "&lt;b>R&amp;D".replace(">", r"\>"), r"\_under\_", "少 尾"]
    assert all(f"| {name} % |" in head for name in shown)
    cells = len(re.findall(r"(?<!\\)\|", head))
    lines = text[text.index(head) :].splitlines()
    assert [len(re.findall(r"(?<!\\)\|", line)) for line in lines[:4]] == [cells] * 4
    text, _ = report([str(runs), "--format", "latex"])
    body = text.split(r"\toprule")[2].split(r"\bottomrule")[0]
    assert r"a, b \% & x$|$y \% & $<$b$>$R\&D \% & \_under\_ \% & 少 尾 \%" in body
    rows = [line for line in body.splitlines() if line.endswith(r"\\")]
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {12}


def test_csv_has_two_columns_for_each(runs):
    text, _ = report([str(runs), "--format", "csv"])
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [float(rows[0][f"{name}_mean"]) for name in NAMES] == pytest.approx(
        [60, 57, 53, 50, 47, 43, 40]
    )
    assert rows[0]["worst_mean"] == "40.0000"


def test_the_page_has_a_column_and_a_curve_for_each(runs):
    text = page([Run.read(runs / name / "0") for name in ("ce", "bbn")])
    plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    for name in NAMES:
        assert f">{name} %</th>" in plain
        assert f"Accuracy of the group {name}, on held-out images" in plain
    assert "<b>R" not in text
    assert "head 1, a, b 1" in text


def test_runs_of_other_groups_have_gaps(write, results, tmp_path):
    write("ce/0", results((300, 50, 6)))
    write("bbn/0", grouped(results((300, 50, 6), method="bbn"), ["many", "rare", "few"]))
    text, _ = report([str(tmp_path / "runs"), "--format", "csv"])
    rows = {row["method"]: row for row in csv.DictReader(io.StringIO(text))}
    assert rows["ce"]["rare_mean"] == rows["bbn"]["medium_mean"] == ""
    assert rows["ce"]["medium_mean"] != "" != rows["bbn"]["rare_mean"]
    assert report([str(tmp_path / "runs")])[1] == 0


@pytest.mark.parametrize(
    ("runs", "together"),
    [
        ([["many", "few"], ["many", "medium", "few"]], ["many", "medium", "few"]),
        ([["medium", "few"], ["many", "medium"]], ["many", "medium", "few"]),
        ([["a"], ["b"]], ["a", "b"]),
        ([[], ["b", "a"], ["a", "b"]], ["b", "a"]),
    ],
)
def test_groups_keep_the_order_of_their_runs(runs, together):
    contents = [{"data": {"groups": dict.fromkeys(own)}, "evaluations": {}} for own in runs]
    assert group_names(contents) == together


def test_a_group_may_be_called_as_the_whole_test_is(write, results):
    folder = write("ce/0", grouped(results((300, 6), slope=0.4), ["all", "ECE"]))
    head, _, row = report([str(folder)])[0].splitlines()[:3]
    assert re.findall(r"[\w ]+(?= %)", head.replace("  ", "|"))[2:4] == ["group all", "group ECE"]
    assert row.split()[1:5] == ["50.00", "50.00", "70.00", "30.00"]


def test_the_figure_of_a_run_names_each():
    groups = {name: [k] for k, name in enumerate(NAMES)}
    rows = [
        {"name": name, "training_images": k + 1, "accuracy": 0.5} for k, name in enumerate(NAMES)
    ]
    figure = draw_class_accuracy(ClassAccuracy.of("T", rows, groups))
    (legend,) = figure.legends
    shown = [text.get_text().strip().partition(":")[0] for text in legend.get_texts()]
    assert shown == NAMES
    assert len({handle.get_color() for handle in legend.legend_handles}) == 7
    assert to_png(figure).startswith(b"\x89PNG")


def test_the_table_below_the_bar_takes_names_as_they_are():
    table = GroupTable({name: [0] for name in NAMES})
    table.add(0, {f"val/acc_{name}": 0.5 for name in NAMES})
    stream = io.StringIO()
    Console(file=stream, width=400).print(table.table())
    assert all(f" {name} (1 class) " in stream.getvalue() for name in NAMES)


def test_the_workspace_shows_the_groups_of_the_runs(runs, tmp_path, monkeypatch):
    pytest.importorskip("wandb_workspaces.workspaces")
    file = tmp_path / "workspace.json"
    answer = in_process(
        ["dashboard", str(runs), "--project", "lt", "--json", str(file)], HOME=str(tmp_path)
    )
    assert (answer.status, answer.err) == (0, "")
    text = json.dumps(json.loads(file.read_text("utf-8")), ensure_ascii=False)
    assert all(json.dumps(f"val/acc_{name}", ensure_ascii=False) in text for name in NAMES)
    assert "acc_many" not in text
