"""What is no repetition of a run stands in a row or a column of its own."""

import json
import os

import pytest

from lt_lightning.report.cell import Grid
from lt_lightning.report.changes import change_of
from lt_lightning.report.run import Run
from lt_lightning.report.table import find_runs, load_rows, render

CONFIG = {
    "trainer": {"max_epochs": 200},
    "model": {"class_path": "lt_lightning.methods.ERM"},
    "data": {"profile": {"class_path": "lt_lightning.data.Step", "init_args": {}}},
}


@pytest.fixture
def grid_with(write):
    """The grid of contents, each with its config or without."""

    def one(*runs):
        folders = [write(f"run{k}/0", content, config=config) for k, (content, config) in runs]
        return Grid.of([Run.read(folder) for folder in folders])

    return lambda *runs: one(*enumerate(runs))


def step(**options):
    config = json.loads(json.dumps(CONFIG))
    config["data"]["profile"]["init_args"] = {"imbalance_ratio": 100.0, **options}
    return config


def test_another_option_of_the_profile_is_another_data_set(grid_with, results):
    runs = [
        (results(profile="Step", accuracy=0.3), step(head_fraction=0.5)),
        (results(profile="Step", accuracy=0.5, seed=1), step()),  # as usual, which is a half
        (results(profile="Step", accuracy=0.9), step(head_fraction=0.2)),
    ]
    grid = grid_with(*runs)
    labels = grid.data_labels
    means = {labels[data]: cell.summary() for (_, data), cell in grid.cells.items()}
    assert {label[len("Digits, step profile, ratio ") :] for label in means} == {
        "50, head_fraction as usual",
        "50, head_fraction 0.2",
    }
    assert sorted((found.n, found.mean) for found in means.values()) == [
        (1, pytest.approx(90.0)),
        (2, pytest.approx(40.0)),
    ]
    assert grid.left_out == []


def test_a_profile_that_only_the_command_tells_is_told_apart_too(grid_of, results):
    command = ["lt", "fit", "--config", "ce.yaml", "--data.profile.head_fraction", "0.2"]
    grid = grid_of(results(profile="Step"), results(profile="Step", seed=1, command=command))
    assert len(grid.data_labels) == 2


def test_groups_by_another_rule_are_not_averaged(grid_of, results):
    other = results(seed=1)
    other["data"]["group_rule"] = "ShotGroups(many_above=50, few_below=20)"
    grid = grid_of(results(), other, results(seed=2))
    assert sorted(len(cell.entries) for cell in grid.cells.values()) == [1, 2]
    assert any("many_above=50" in label for label in grid.data_labels.values())


def test_what_chose_the_best_weights_tells_rows_apart(grid_of, results, evaluation):
    contents = []
    for seed, monitor in enumerate(("val/acc_macro", "val/loss", "val/acc_macro")):
        content = results(seed=seed)
        chosen_by = f"best {monitor} on held-out images"
        content["evaluations"]["best"] = results(chosen_by=chosen_by)["evaluations"]["last"]
        contents.append(content)
    found = {method: len(cell.entries) for (method, _), cell in grid_of(*contents).cells.items()}
    assert found == {
        "ce": 3,
        "ce, best on held-out images": 2,
        "ce, best val/loss on held-out images": 1,
    }


def with_change(results, label, seed, asked=None, accuracy=0.5):
    content = results(seed=seed)
    changed = results(accuracy=accuracy)["evaluations"]["last"]
    if asked is not None:
        changed["post_hoc"] = {"class": "TauNormalization", **asked}
    content["evaluations"][label] = changed
    return content


def test_a_change_by_other_options_is_a_row_of_its_own(grid_of, results):
    asked = [{"tau": 1.0, "keep_bias": True}, {"tau": 1.0, "keep_bias": False}]
    grid = grid_of(
        *(with_change(results, "last+tau_norm_1", k, one) for k, one in enumerate(asked))
    )
    assert {method for method, _ in grid.cells} == {
        "ce",
        "ce + tau_norm, keep_bias True",
        "ce + tau_norm, keep_bias False",
    }


def test_values_that_were_fitted_to_each_seed_are_one_row(grid_of, results):
    labels = ("last+tau_norm_0.7", "last+tau_norm_0.9")
    asked = {"tau": None, "keep_bias": False}
    grid = grid_of(*(with_change(results, label, k, asked) for k, label in enumerate(labels)))
    cell = grid.cells["ce + tau_norm", next(iter(grid.data_labels))]
    assert len(cell.entries) == 2
    assert change_of(cell.first, cell.entries) == ("tau_norm", False)


def test_runs_without_a_seed_are_repetitions_and_no_pairs(grid_of, results):
    runs = [results(seed=0, accuracy=a) for a in (0.4, 0.6)]
    runs.append(results(method="bbn", accuracy=0.9))
    for content in runs:
        content["seeds"]["training"] = None
    grid = grid_of(*runs)
    (data,) = grid.data_labels
    ce, bbn = grid.cells["ce", data], grid.cells["bbn", data]
    assert (ce.summary().n, ce.summary().mean) == (2, pytest.approx(50.0))
    assert grid.left_out == []
    assert bbn.minus(ce) is None


def test_a_method_that_the_command_changes_is_not_called_by_its_file_alone(grid_of, results):
    command = ["lt", "fit", "--config", "ce.yaml", "--model.loss", "BalancedSoftmax"]
    small = ["lt", "fit", "--config", "bbn.yaml", "--model.backbone.depth", "8"]
    begun = ["lt", "fit", "--config", "crt.yaml", "--model.backbone_init", "runs/mt/0"]
    grid = grid_of(*(results(command=one) for one in (command, small, begun)))
    assert {method for method, _ in grid.cells} == {
        "ce, loss BalancedSoftmax",
        "bbn",
        "crt after mt",
    }


def test_a_later_test_makes_no_run_newer(write, results):
    first = write("ce/0", results(accuracy=0.3), config=CONFIG)
    second = write("ce/1", results(accuracy=0.6), config=CONFIG)
    for place, folder in enumerate((first, second)):
        os.utime(folder / "config.yaml", (place, place))
    os.utime(second / "results.json", (2, 2))
    assert find_runs([str(first.parent)], newest=True).finished == [second]
    assert Grid.of([Run.read(first), Run.read(second)]).left_out == [first]


def test_runs_of_sweeps_are_found_beside_plain_ones_and_keep_their_names(write, results):
    folders = [write(f"{name}/0", results()) for name in ("ce", "one/ce", "two/ce")]
    root = folders[0].parents[1]
    (root / "one" / "logs").mkdir()
    found = find_runs([str(root)], newest=False).finished
    assert sorted(found) == sorted(folders)
    names = {row.method for row in load_rows(found)}
    assert names == {"runs/ce/0", "one/ce/0", "two/ce/0"}


def test_minutes_behind_another_run_are_marked(write, results):
    command = ["lt", "fit", "--config", "crt.yaml", "--model.stage1_ckpt", "runs/ce/0"]
    told = {"model": {"init_args": {"stage1_ckpt": "runs/ce/0/checkpoints/last.ckpt"}}}
    plain = {"model": {"init_args": {"stage1_ckpt": None}}}
    folders = [
        write("by_command/0", results(command=command)),
        write("ce/0", results()),
    ]
    for name, config in (("by_config", told), ("none", plain)):
        folder = write(f"{name}/0", results())
        lines = json.dumps(config["model"]["init_args"]["stage1_ckpt"])
        (folder / "config.yaml").write_text(f"model:\n  init_args:\n    stage1_ckpt: {lines}\n")
        folders.append(folder)
    text = render(load_rows(folders))
    marked = {line.split()[0] for line in text.splitlines() if "+ 10.0" in line}
    assert marked == {"by_command/0", "by_config/0"}
    assert text.endswith("+ minutes of a training that began with the weights of another run")


def test_a_number_that_some_seeds_have_says_how_many(grid_of, results):
    from lt_lightning.report.page.numbers import all_numbers
    from lt_lightning.report.ranking import ranking
    from lt_lightning.report.survey_text import markdown

    contents = [results(seed=seed) for seed in range(2)]
    contents[0]["evaluations"]["last"]["overall"]["auc"] = 0.484
    grid = grid_of(*contents)
    (data,) = grid.data_labels
    assert "48.40, n=1 |" in markdown(grid)
    (row,) = all_numbers(ranking(grid, data)).rows
    assert [item.soft for item in row if item.text == "48.40"] == ["n=1"]


def test_rows_that_test_images_chose_stand_apart_and_are_not_ranked(grid_of, results):
    told = {
        "last": "last epoch, built on best val/acc_macro on TEST images",
        "stage1": "end of stage 1, best val/acc_macro on TEST images",
        "best": "best val/acc_macro on TEST images",
    }
    content = results(method="crt", flags=("test_seen",))
    content["evaluations"] = {
        label: results(chosen_by=text)["evaluations"]["last"] for label, text in told.items()
    }
    cells = grid_of(content).cells
    assert {method: cell.ranked for (method, _), cell in cells.items()} == {
        "crt": False,
        "crt, stage 1, chosen on TEST images": False,
        "crt, best on TEST images": False,
    }


def test_one_subset_seed_with_two_sets_of_images_is_no_repetition(grid_of, results):
    contents = [results(seed=seed, accuracy=a) for seed, a in enumerate((0.3, 0.5, 0.9))]
    contents[2]["data"]["fingerprint"] = "beefbeefbeefbeef"
    found = {m: cell.summary().n for (m, _), cell in grid_of(*contents).cells.items()}
    assert found == {"ce, images f00d": 2, "ce, images beefbeef": 1}


def test_other_subset_seeds_have_other_images_and_are_repetitions(grid_of, results):
    contents = [results(seed=seed) for seed in range(3)]
    contents[1]["seeds"]["subset"], contents[1]["data"]["fingerprint"] = 1, "beefbeefbeefbeef"
    assert [cell.summary().n for cell in grid_of(*contents).cells.values()] == [3]


def test_a_method_without_a_config_file_is_called_by_its_class_alone(grid_of, results):
    grid = grid_of(results(command=["lt", "fit", "--model", "ERM", "--model.loss", "LDAM"]))
    assert grid.methods == ["ERM"]
