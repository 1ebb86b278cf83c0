"""The W&B workspace: what it asks for is what runs log."""

import json

import pytest

from lt_lightning.metrics.names import logged
from lt_lightning.wandb_ import names as wandb_names
from lt_lightning.wandb_.workspace import as_json, workspace

workspaces = pytest.importorskip("wandb_workspaces.workspaces")


@pytest.fixture(scope="module")
def spec():
    return json.loads(as_json(workspace("lt", "me")))


def panels(spec, kind):
    sections = spec["section"]["panelBankConfig"]["sections"]
    return [p["config"] for s in sections for p in s["panels"] if p["viewType"] == kind]


def test_the_private_name_is_there():
    """Trap: wandb-workspaces gives its JSON by a private name only."""
    assert callable(workspaces.Workspace._to_model)


def test_curves_of_the_groups_of_all_methods_side_by_side(spec):
    lines = {one["metrics"][0]: one for one in panels(spec, "Run History Line Plot")}
    for name in ("val/acc_many", "val/acc_medium", "val/acc_few"):
        assert lines[name]["xAxis"] == "epoch"
        assert lines[name]["groupBy"] == "jobType"
        assert lines[name]["groupAgg"] == "mean"
        assert (lines[name]["yAxisMin"], lines[name]["yAxisMax"]) == (0, 1)
    first = spec["section"]["panelBankConfig"]["sections"][0]
    assert [p["config"]["metrics"][0] for p in first["panels"][:3]] == [
        "val/acc_many", "val/acc_medium", "val/acc_few",
    ]  # fmt: skip
    assert first["flowConfig"]["columnsPerPage"] == 3


def test_groups_of_other_names_are_asked_for():
    names = ("head", "a, b", "<b>|_&", "d", "e", "f", "tail")
    spec = json.loads(as_json(workspace("lt", "me", names)))
    lines = [one["metrics"][0] for one in panels(spec, "Run History Line Plot")]
    assert lines[:7] == [f"val/acc_{name}" for name in names]
    assert "weight/tail" in lines
    assert not {"val/acc_many", "weight/few"} & set(lines)
    bars = [one["metrics"][0] for one in panels(spec, "Bar Chart")]
    assert len(bars) == 7 + 3 + 1
    first = spec["section"]["panelBankConfig"]["sections"][0]
    assert first["flowConfig"]["rowsPerPage"] * 3 >= 10


def test_every_scalar_it_asks_for_is_logged(spec):
    """Trap: a panel of a misspelt metric stays empty and says nothing."""
    asked = {one["metrics"][0] for one in panels(spec, "Run History Line Plot")}
    asked |= {one["metrics"][0].removeprefix("summary:") for one in panels(spec, "Bar Chart")}
    names = "acc acc_macro acc_worst acc_many acc_medium acc_few ece nll".split()
    known = {logged(split, name) for split in ("val", "test") for name in names}
    assert asked <= known | {"train/loss", "train/lr", "weight/few", "alpha", "stage"}
    assert {"test/acc_many", "test/acc_medium", "test/acc_few", "test/ece"} <= asked


def test_every_table_and_figure_it_asks_for_is_one_that_is_logged(spec):
    keys = {value for name, value in vars(wandb_names).items() if name.isupper()}
    charts = {
        one["userQuery"]["queryFields"][0]["fields"][0]["args"][0]["value"]: one
        for one in panels(spec, "Vega2")
    }
    assert set(charts) == {"last/per_class", "last/reliability"}
    assert charts["last/per_class"]["fieldSettings"] == {"x": "training_images", "y": "accuracy"}
    assert charts["last/reliability"]["fieldSettings"] == {"x": "confidence", "y": "accuracy"}
    shown = {key for one in panels(spec, "Media Browser") for key in one["mediaKeys"]}
    assert shown == {f"last/{name}" for name in (
        "accuracy_figure", "confusion_figure", "tail_images", "reliability_figure",
    )}  # fmt: skip
    assert {key.removeprefix("last/") for key in [*charts, *shown]} <= keys


def test_runs_are_grouped_by_method_and_data(spec):
    (runs,) = spec["section"]["runSets"]
    assert [key["name"] for key in runs["grouping"]] == ["jobType"]
