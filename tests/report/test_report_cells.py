"""Runs sorted into cells: repetitions, podium, pairs, oracles, data sets."""

import os

import pytest

from lt_lightning.report.cell import Grid
from lt_lightning.report.measures import ECE
from lt_lightning.report.run import Run


def only_data(grid):
    (data,) = grid.data_labels
    return data


def test_mean_and_spread_over_the_seeds(grid_of, results):
    grid = grid_of(*(results(accuracy=a, seed=k) for k, a in enumerate((0.40, 0.50, 0.60))))
    summary = grid.cells["ce", only_data(grid)].summary()
    assert (summary.n, summary.mean) == (3, pytest.approx(50.0))
    assert summary.sd == pytest.approx(10.0)


def test_the_newest_of_two_runs_with_one_seed_counts(write, results):
    old = write("ce/0", results(accuracy=0.3))
    new = write("ce/1", results(accuracy=0.6))
    os.utime(old / "results.json", (1, 1))
    for order in ((old, new), (new, old)):
        grid = Grid.of([Run.read(folder) for folder in order])
        (cell,) = grid.cells.values()
        assert len(cell.entries) == 1
        assert cell.summary().mean == pytest.approx(60.0)
        assert grid.left_out == [old]


def test_best_and_second(grid_of, results):
    pairs = (("ce", 0.5), ("bbn", 0.7), ("ldam", 0.6))
    grid = grid_of(*(results(method=m, accuracy=a) for m, a in pairs))
    assert grid.podium(only_data(grid)) == ({"bbn"}, {"ldam"})


@pytest.mark.parametrize(
    ("accuracies", "best", "second"),
    [
        ((0.5, 0.5), "", ""),
        ((0.5, 0.5, 0.5), "", ""),
        ((0.7, 0.7, 0.5), "ab", "c"),
        ((0.7, 0.5, 0.5), "a", "bc"),
        ((0.5, 0.7, 0.6), "b", "c"),
    ],
)
def test_ties_share_a_place_and_where_all_are_equal_there_is_none(
    grid_of, results, accuracies, best, second
):
    grid = grid_of(
        *(results(method=m, accuracy=a) for m, a in zip("abc", accuracies, strict=False))
    )
    assert grid.podium(only_data(grid)) == (set(best), set(second))


def test_what_is_shown_as_equal_is_a_tie(grid_of, results):
    contents = [results(method=m, accuracy=0.5) for m in "abc"]
    for content, accuracy in zip(contents, (0.70001, 0.70002, 0.6), strict=True):
        content["evaluations"]["last"]["overall"]["acc"] = accuracy
    grid = grid_of(*contents)
    assert grid.podium(only_data(grid)) == ({"a", "b"}, {"c"})


def test_checkpoints_of_one_run_are_one_method(grid_of, results):
    content = results(method="crt", accuracy=0.5)
    for label, accuracy in (("best", 0.6), ("stage1", 0.7)):
        content["evaluations"][label] = results(accuracy=accuracy)["evaluations"]["last"]
    grid = grid_of(content)
    assert len(grid.methods) == 3
    assert grid.remedies == 1
    assert grid.podium(only_data(grid)) == (set(), set())
    content["evaluations"]["last+tau_norm_1"] = content["evaluations"]["best"]
    assert grid_of(content).remedies == 2


def test_one_method_has_no_podium(grid_of, results):
    grid = grid_of(results())
    assert grid.podium(only_data(grid)) == (set(), set())


def test_less_calibration_error_is_better(grid_of, results):
    good, bad = results(method="good"), results(method="bad")
    good["evaluations"]["last"]["overall"]["ece"] = 0.1
    grid = grid_of(good, bad)
    assert grid.podium(only_data(grid), ECE) == ({"good"}, {"bad"})


def test_what_does_not_compete_is_marked_and_not_ranked(grid_of, results):
    chosen = results(method="bbn", accuracy=0.8, flags=("test_seen",))
    best = chosen["evaluations"].pop("last")
    best["checkpoint"]["chosen_by"] = "best val/acc_macro on TEST images"
    chosen["evaluations"]["best"] = best
    short = results(method="ldam", accuracy=0.95)
    short["evaluations"]["last"]["part_of_test"] = True
    grid = grid_of(
        short,
        results(method="classifier_bound", accuracy=0.9, flags=("oracle",)),
        results(method="ssp_rotation", accuracy=0.85, flags=("self_supervised",)),
        chosen,
        results(method="mixup", accuracy=0.6, flags=("test_seen",)),
        results(accuracy=0.5),
    )
    data = only_data(grid)
    assert grid.podium(data) == ({"mixup"}, {"ce"})
    notes = {method: cell.notes for (method, _), cell in grid.cells.items()}
    assert notes == {
        "classifier_bound": ["oracle"],
        "ssp_rotation": ["no labels"],
        "bbn, best on TEST images": ["chosen on test"],
        "mixup": ["test seen"],
        "ldam": ["part of test"],
        "ce": [],
    }
    assert [cell.method for cell in grid.baselines(data)] == ["ce"]


def test_differences_are_paired_by_seed(grid_of, results):
    runs = [results(accuracy=a, seed=k) for k, a in enumerate((0.3, 0.5))]
    # The second method is 2 points better on every seed, on one seed more, in another order.
    runs += [results(method="bbn", accuracy=a, seed=k) for k, a in ((2, 0.9), (1, 0.52), (0, 0.32))]
    grid = grid_of(*runs)
    data = only_data(grid)
    found = grid.cells["bbn", data].minus(grid.baselines(data)[0])
    assert found.n == 2
    assert found.mean == pytest.approx(2.0)
    assert found.low == pytest.approx(2.0)
    assert found.clear


def test_a_method_is_compared_with_cross_entropy_of_its_own_recipe(grid_of, results):
    grid = grid_of(
        *(
            results(method=m, epochs=e, seed=k)
            for k, e in enumerate((30, 200))
            for m in ("ce", "bbn")
        )
    )
    data = only_data(grid)
    epochs = {
        cell.first.run.content["training"]["epochs"]: grid.baseline_of(cell).first.run.content[
            "training"
        ]["epochs"]
        for cell in grid.column(data)
        if cell.first.setting.base == "bbn"
    }
    assert epochs == {30: 30, 200: 200}


def test_without_cross_entropy_the_first_method_is_the_baseline(grid_of, results):
    grid = grid_of(results(method="oracle", flags=("oracle",)), results(method="bbn"))
    assert [cell.method for cell in grid.baselines(only_data(grid))] == ["bbn"]


def test_other_training_images_are_no_pair(grid_of, results):
    other = results(method="bbn")
    other["data"]["fingerprint"] = "beef"
    grid = grid_of(results(), other)
    data = only_data(grid)
    assert grid.cells["bbn", data].minus(grid.cells["ce", data]) is None


def test_changes_after_training_are_rows_of_their_own(grid_of, results):
    contents = []
    for seed, fitted in ((0, "0.9"), (1, "1.1")):
        content = results(seed=seed)
        content["evaluations"][f"last+temperature_{fitted}"] = content["evaluations"]["last"]
        contents.append(content)
    grid = grid_of(*contents)
    assert grid.methods == ["ce", "ce + temperature"]
    assert len(grid.cells["ce + temperature", only_data(grid)].entries) == 2


def test_several_values_of_one_run_stay_apart(grid_of, results):
    content = results()
    for tau in ("0.5", "1"):
        content["evaluations"][f"last+tau_norm_{tau}"] = content["evaluations"]["last"]
    assert grid_of(content).methods == ["ce", "ce + tau_norm_0.5", "ce + tau_norm_1"]


def test_best_and_stage_one_are_rows_of_their_own(grid_of, results):
    content = results(method="crt")
    content["evaluations"]["best"] = dict(content["evaluations"]["last"])
    content["evaluations"]["stage1"] = dict(content["evaluations"]["last"])
    assert grid_of(content).methods == ["crt", "crt, best on held-out images", "crt, stage 1"]


def test_data_sets_stand_in_the_order_of_the_survey(grid_of, cifar, results):
    grid = grid_of(results(), cifar(10, 10), cifar(10, 100), cifar(100, 50), cifar(100, 100))
    assert list(grid.data_labels.values()) == [
        "CIFAR-100-LT, ratio 100",
        "CIFAR-100-LT, ratio 50",
        "CIFAR-10-LT, ratio 100",
        "CIFAR-10-LT, ratio 10",
        "Digits, ratio 50",
    ]


def test_ratio_200_is_the_profile_not_what_truncation_left(grid_of, cifar):
    grid = grid_of(cifar(100, 200))
    data = only_data(grid)
    assert (data.ratio, data.published) == (200.0, "cifar100")


def test_cifar_sizes_are_those_of_the_field(sizes):
    from lt_lightning.report.dataset import exponential

    assert sum(exponential(5000, 10, 100)) == 12406
    assert sum(exponential(500, 100, 100)) == 10847
    for head, classes in ((5000, 10), (500, 100)):
        for ratio in (10, 20, 50, 100, 200):
            assert exponential(head, classes, ratio) == sizes(head, classes, ratio)


def test_folders_of_other_classes_are_other_data(grid_of, results):
    grid = grid_of(
        results(source="ImageFolder", names=("a", "b", "c", "d")),
        results(source="ImageFolder", names=("e", "f", "g", "h")),
    )
    assert list(grid.data_labels.values()) == ["ImageFolder, ratio 50", "ImageFolder, ratio 50 (2)"]


def test_a_folder_of_several_names_is_one_data_set(write, results):
    """Machines mount it under other names; runs on the same images tell that it is one."""
    told = []
    for k, (root, images) in enumerate(
        [
            ("/data/flowers", "f00d"),
            ("/scratch/flowers_v2/", "f00d"),
            ("/tmp/job.123", "beef"),
            ("/data/job.123", "f00d"),
            ("/data/roses", "cafe"),
        ]
    ):
        content = results(source="ImageFolder", seed=k)
        content["data"]["fingerprint"] = images
        content["seeds"]["subset"] = int(images == "beef")
        told.append(Run.read(write(f"ce/{k}", content, config={"data": {"root": root}})))
    grid = Grid.of(told)
    assert list(grid.data_labels.values()) == ["flowers, ratio 50", "roses, ratio 50"]
    assert [len(cell.entries) for cell in grid.cells.values()] == [4, 1]


@pytest.mark.parametrize(
    ("root", "name"), [("..", "ImageFolder"), ("a/..", "ImageFolder"), ("a/b/../c", "c")]
)
def test_a_folder_without_a_name_gives_none(write, results, root, name):
    folder = write("ce/0", results(source="ImageFolder"), config={"data": {"root": root}})
    assert only_data(Grid.of([Run.read(folder)])).name == name


def test_step_imbalance_is_other_data(grid_of, results):
    grid = grid_of(results(source="CIFAR10", profile="Step"))
    assert list(grid.data_labels.values()) == ["CIFAR-10, step profile, ratio 50"]


def test_runs_of_before_the_source_was_recorded(grid_of, cifar, write):
    names = "airplane automobile bird cat deer dog frog horse ship truck".split()
    content = cifar(names=names)
    for key in ("source", "profile", "imbalance_ratio"):
        del content["data"][key]
    assert only_data(grid_of(content)).published == "cifar10"
