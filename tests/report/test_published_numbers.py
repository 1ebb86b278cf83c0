"""results/published.yaml holds the survey's table, corrected, and is found wherever we are."""

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from lt_lightning.report import published as module
from lt_lightning.report.cell import Grid
from lt_lightning.report.published import all_beside, beside, departures, misprints, published
from lt_lightning.report.run import Run

ROOT = Path(__file__).parents[2]
# The survey's table with the misprints set right: CIFAR-100-LT and CIFAR-10-LT at 100, 50, 10.
SURVEY = {
    "ce": (38.32, 43.85, 55.71, 70.36, 74.81, 86.39),
    "focal": (38.4, 44.3, 55.8, 70.4, 76.7, 86.7),
    "mixup": (39.5, 45.0, 58.0, 73.1, 77.8, 87.1),
    "cb_focal": (39.6, 45.2, 58.0, 74.6, 79.3, 87.1),
    "Bag of Tricks": (47.83, 51.69, None, 80.03, 83.59, None),
    "SSP + CE uniform": (40.40, 45.04, 57.07, 73.50, 78.20, 87.72),
    "SSP + CE balanced": (43.06, 47.09, 58.06, 76.53, 80.4, 88.43),
    "ldam_drw": (42.0, 46.6, 58.7, 77.0, 81.0, 88.2),
    "bbn": (42.56, 47.02, 59.12, 79.82, 82.18, 88.32),
    "Causal": (44.1, 50.3, 59.6, 80.6, 83.6, 88.5),
}
MISPRINTED = {56.8, 87.72, 47.07, 73.59, 79.03}


@pytest.fixture
def content():
    return yaml.safe_load((ROOT / "results" / "published.yaml").read_text("utf-8"))


@pytest.fixture
def cell_of(write):
    number = itertools.count()

    def one(content, **files):
        folder = write(f"run{next(number)}/0", content, **files)
        return next(iter(Grid.of([Run.read(folder)]).cells.values()))

    return one


@pytest.mark.parametrize(("name", "values"), SURVEY.items())
def test_the_survey_table_is_there_in_full(name, values):
    rows = [row for row in published() if "LT-Collections" in row.title]
    row = next(row for row in rows if row.config == name or row.method.startswith(name))
    found = [row.values[d].get(r) for d in ("cifar100", "cifar10") for r in (100, 50, 10)]
    assert tuple(found) == values


def test_every_misprint_is_marked_with_what_is_printed_and_why():
    survey = [row for row in published() if "LT-Collections" in row.title]
    printed = {
        misprint["printed"]
        for row in survey
        for ratios in row.misprints.values()
        for misprint in ratios.values()
    }
    assert printed == MISPRINTED
    assert len(misprints(survey)) == 5
    assert all(len(text) > 60 for text in misprints(survey))


def test_every_row_says_where_it_stands_and_what_it_was_made_with():
    for row in published():
        assert row.title
        assert row.evidence in ("survey", "repository", "slides", "secondary", "recalled")
        assert row.backbone
        assert row.epochs
        assert row.split
        assert row.selection


def test_every_accuracy_is_one():
    for row in published():
        for table in (row.values, row.ece):
            for data, ratios in table.items():
                assert data in ("cifar10", "cifar100", "imagenet_lt")
                for ratio, value in ratios.items():
                    assert ratio in (10, 50, 100, 256)
                    assert 0 < value < 100
        for data, ratios in row.misprints.items():
            assert set(ratios) <= set(row.values[data])


def test_every_source_is_used_and_every_config_exists(content):
    assert {row["source"] for row in content["rows"]} == set(content["sources"])
    named = {row["config"] for row in content["rows"] if "config" in row}
    there = {file.stem for file in (ROOT / "configs").glob("*.yaml")}
    assert named <= there


def test_the_survey_row_comes_first(cell_of, cifar):
    cell = cell_of(cifar(method="bbn"))
    row, value = beside(cell)
    assert value == 79.82
    assert "LT-Collections" in row.title
    assert len(all_beside(cell)) == 1
    assert len(all_beside(cell_of(cifar(100, method="ldam_drw")))) > 3


@pytest.mark.parametrize(
    ("classes", "ratio", "value"), [(10, 50, 82.18), (100, 100, 42.56), (100, 10, 59.12)]
)
def test_data_and_ratio_choose_the_number(cell_of, cifar, classes, ratio, value):
    assert beside(cell_of(cifar(classes, ratio, method="bbn")))[1] == value


def test_other_data_have_no_published_number(cell_of, results, cifar):
    assert beside(cell_of(results(method="bbn"))) is None
    assert beside(cell_of(cifar(10, 20, method="bbn"))) is None
    assert beside(cell_of(cifar(method="a_new_method"))) is None


def test_another_loss_is_not_the_method_of_its_config(cell_of, cifar):
    command = ["lt", "fit", "--config", "configs/ce.yaml", "--model.loss", "LDAM"]
    assert beside(cell_of(cifar(command=command))) is None


def test_another_recipe_is_named(cell_of, cifar):
    command = ["lt", "fit", "--config", "configs/ce.yaml", "--model.optimizer.nesterov", "true"]
    content = cifar(command=command, epochs=30)
    content["evaluations"]["last"]["images"] = 5000
    cell = cell_of(content)
    found = departures(cell, beside(cell)[0])
    assert found == [
        "30 epochs, not 200",
        "5000 test images, not 10000",
        "changed: model.optimizer.nesterov",
    ]
    same = cell_of(cifar())
    assert departures(same, beside(same)[0]) == []


@pytest.mark.parametrize(
    ("epochs", "classes", "stages"),
    [
        ("200", 10, (200,)),
        ("200 + 30", 10, (200, 30)),
        ("200, after 200 of rotation prediction", 10, (200,)),
        ("1241 on CIFAR-10-LT, 1419 on CIFAR-100-LT; last step", 10, (1241,)),
        ("1241 on CIFAR-10-LT, 1419 on CIFAR-100-LT; last step", 100, (1419,)),
        ("about 1300", 10, (1300,)),
        ("13,000 steps of 512 images", 10, ()),
        ("not stated", 10, ()),
    ],
)
def test_the_epochs_of_a_published_number_are_read(cell_of, cifar, epochs, classes, stages):
    row = replace(published()[0], epochs=epochs)
    assert row.epochs_on(cell_of(cifar(classes)).data) == stages


def test_a_change_after_a_shorter_training_is_not_as_published(cell_of, cifar):
    content = cifar(epochs=3)
    content["evaluations"] = {"last+logit_adjustment_tau_1": content["evaluations"]["last"]}
    cell = cell_of(content)
    assert departures(cell, beside(cell)[0]) == ["3 epochs, not 1241"]


def test_a_length_that_cannot_be_compared_is_told_where_it_was_changed(cell_of, cifar):
    command = ["lt", "fit", "--config", "configs/ce.yaml", "--trainer.max_epochs", "3"]
    cell = cell_of(cifar(command=command, epochs=3))
    row = replace(beside(cell)[0], epochs="not stated")
    assert departures(cell, row) == ["changed: trainer.max_epochs"]


@pytest.mark.parametrize(("keep", "told"), [(True, []), (False, ["keep_bias False, not True"])])
def test_an_option_of_a_change_that_the_paper_has_otherwise_is_told(cell_of, cifar, keep, told):
    content = cifar()
    changed = {**content["evaluations"]["last"], "post_hoc": {"class": "X", "keep_bias": keep}}
    content["evaluations"] = {"last+tau_norm_1": changed}
    cell = cell_of(content)
    assert departures(cell, beside(cell)[0]) == told


def test_a_change_after_training_has_its_own_numbers(write, cifar):
    content = cifar()
    content["evaluations"]["last+tau_norm_1"] = content["evaluations"]["last"]
    grid = Grid.of([Run.read(write("ce/0", content))])
    values = {method: beside(cell)[1] for (method, _), cell in grid.cells.items()}
    assert values == {"ce": 70.36, "ce + tau_norm": 72.70}


def test_an_installed_package_carries_the_file(monkeypatch, tmp_path):
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    assert '"results/published.yaml" = "lt_lightning/results/published.yaml"' in text
    assert Path("lt_lightning/results/published.yaml") == module._INSIDE.relative_to(ROOT)
    inside = tmp_path / "published.yaml"
    inside.write_text("rows: []\nsources: {}\n")
    monkeypatch.setattr(module, "_INSIDE", inside)
    published.cache_clear()
    assert published() == ()
    published.cache_clear()


def test_a_second_stage_of_other_length_is_still_the_method(cell_of, cifar):
    command = "lt fit --config configs/crt.yaml --model.stage1_ckpt RUN --model.stage2_epochs 10"
    cell = cell_of(cifar(method="crt", command=command.split()))
    row, value = beside(cell)
    assert (row.method, value) == ("cRT", 74.99)
    assert "changed: model.stage1_ckpt, model.stage2_epochs" in departures(cell, row)


@pytest.mark.parametrize(
    ("label", "method", "accuracy"),
    [
        ("last+logit_adjustment_tau_1", "Logit adjustment, post-hoc", 77.32),
        ("last+tau_norm_1", "tau-normalisation, tau 1", 72.70),
    ],
)
def test_changes_after_training_stand_beside_theirs(write, cifar, label, method, accuracy):
    """The labels are those that the changes write, with tau at the end."""
    content = cifar()
    content["evaluations"][label] = content["evaluations"]["last"]
    cells = Grid.of([Run.read(write("ce/0", content))]).cells.values()
    (found,) = [beside(cell) for cell in cells if cell.first.label == label]
    assert (found[0].method, found[1]) == (method, accuracy)


@pytest.mark.parametrize("label", ["last+tau_norm_2", "last+logit_adjustment_tau_0.5"])
def test_a_change_by_another_value_is_not_the_published_one(write, cifar, label):
    content = cifar()
    content["evaluations"][label] = content["evaluations"]["last"]
    cells = Grid.of([Run.read(write("ce/0", content))]).cells.values()
    assert [beside(cell) for cell in cells if cell.first.label == label] == [None]


def test_the_labels_are_what_the_changes_describe():
    from lt_lightning.post_hoc import LogitAdjuster, TauNormalization

    assert LogitAdjuster(1.0).describe() == "logit_adjustment_tau_1"
    assert TauNormalization(1.0).describe() == "tau_norm_1"


def test_causal_with_and_without_its_effect_stand_beside_theirs(write, cifar):
    from lt_lightning.methods.causal_tde import WITHOUT

    content = cifar(method="causal_tde")
    content["evaluations"][f"last+{WITHOUT}"] = content["evaluations"]["last"]
    cells = Grid.of([Run.read(write("causal/0", content))]).cells.values()
    assert [beside(cell)[1] for cell in cells] == [80.6, 71.7]


def test_every_config_that_is_named_exists():
    named = {row.config for row in published() if row.config}
    assert {name for name in named if not (ROOT / "configs" / f"{name}.yaml").is_file()} == set()
