"""A recipe of the package over a method leaves it that method, beside what it was before."""

import csv
import io

import pytest
import yaml

from lt_lightning.report.cell import Grid
from lt_lightning.report.published import all_beside, departures
from lt_lightning.report.run import Run
from lt_lightning.report.setting import setting_of
from lt_lightning.report.survey_text import comma_separated
from lt_lightning.runs.packaged import find

SHORT = ("configs/recipe/short.yaml",)


def command(method, *files, more=()):
    found = ["lt", "fit", "--config", f"configs/{method}.yaml"]
    for file in files:
        found += ["--config", file]
    return [*found, *more]


@pytest.fixture
def grid(write, cifar):
    """Return the grid of runs by these commands, in this order, each with its accuracy."""

    def make(*told):
        runs = []
        for place, (given, options) in enumerate(told):
            content = cifar(command=given, **options)
            runs.append(Run.read(write(f"name{place}/0", content)))
        return Grid.of(runs)

    return make


@pytest.mark.parametrize("files", [SHORT, (*SHORT, "mine/cifar.yaml"), ("mine/cifar.yaml",)])
def test_cross_entropy_is_the_baseline_under_any_recipe(grid, files):
    """Trap: the row was called ce-short, and the first of the alphabet was what others stood by."""
    found = grid(
        (command("balanced_softmax", *files), {"accuracy": 0.7, "method": "balanced_softmax"}),
        (command("ce", *files), {"accuracy": 0.6}),
    )
    (data,) = found.data_labels
    (baseline,) = found.baselines(data)
    assert baseline.first.setting.base.startswith("ce")
    assert found.methods[0] == baseline.method


@pytest.mark.parametrize("files", [(), ("mine/loss.yaml",), SHORT])
def test_another_loss_by_a_file_of_the_own_is_no_baseline(write, cifar, files):
    """Trap: a changed copy of ce.yaml was what the others were compared with."""
    config = shipped(("model/init_args/loss", {"class_path": "lt_lightning.losses.LDAM"}))
    run = Run.read(write("a/0", cifar(command=command("ce", *files)), config=config))
    assert not setting_of(run).is_baseline


@pytest.mark.parametrize("more", [("--model.loss", "LDAM"), ("--model.mixing", "Mixup")])
def test_another_loss_by_the_command_line_is_no_baseline(write, cifar, more):
    run = Run.read(write("a/0", cifar(command=command("ce", more=more))))
    assert not setting_of(run).is_baseline


def test_published_values_stand_beside_a_recipe_that_says_what_it_changes(grid):
    found = grid((command("ce", *SHORT), {}))
    (data,) = found.data_labels
    cell = found.cells["ce-short", data]
    row, value = all_beside(cell)[0]
    assert row.config == "ce"
    assert value > 0
    (changed,) = [text for text in departures(cell, row) if text.startswith("changed")]
    assert changed == "changed: data.batch_size, model.lr_schedule, model.optimizer"


def test_none_stands_beside_a_recipe_with_another_head_or_augmentation(grid):
    found = grid((command("ce", "configs/recipe/strong.yaml"), {}))
    (data,) = found.data_labels
    assert all_beside(found.cells["ce-strong", data]) == []


def test_a_file_of_the_own_that_lies_in_a_folder_recipe_may_be_anything(write, cifar):
    run = Run.read(write("a/0", cifar(command=command("ce", "recipe/mine.yaml"))))
    assert setting_of(run).base == "ce-mine"


SHARED = ("--pretrain.config=null", "--pretrain.options=null")
BEHIND = ("--model.backbone_init", "runs/ssp_uniform/seed0/pretrain")


@pytest.mark.parametrize(
    ("method", "more", "is_base"),
    [
        ("ssp_balanced", (*SHARED, *BEHIND), True),
        ("ssp_balanced", (), True),
        ("ce", BEHIND, False),
        ("ce", (*SHARED, *BEHIND), False),
        ("ce", ("--pretrain.config", "configs/ssp_rotation.yaml"), False),
        ("ssp_balanced", ("--pretrain.config", "mine.yaml"), False),
        ("ce", ("--model.loss", "LDAM"), False),
    ],
)
def test_a_pre_training_that_a_sweep_shares_leaves_the_method(write, cifar, method, more, is_base):
    run = Run.read(write("a/0", cifar(command=command(method, more=more))))
    assert setting_of(run).is_base == is_base


def shipped(change=None):
    """Return the package's ce.yaml as a run keeps it, with one option otherwise."""
    config = yaml.safe_load(find("ce").read_text())
    if change:
        inner = config
        *keys, last = change[0].split("/")
        for key in keys:
            inner = inner[key]
        inner[last] = change[1]
    return config


@pytest.mark.parametrize(
    ("change", "beside", "told"),
    [
        (None, True, ""),
        (("model/init_args/optimizer/init_args/weight_decay", 0.0002), True, ""),
        (("model/init_args/optimizer/init_args/lr", 0.01), True, "model.optimizer.lr"),
        (("trainer/max_epochs", 30), True, ""),  # told by the epochs themselves
        (("model/init_args/loss", {"class_path": "SoftmaxFocal"}), False, ""),
        (("model/init_args/mixing", {"class_path": "Mixup"}), False, ""),
        (("data/sampler", {"class_path": "ClassBalanced"}), False, ""),
    ],
)
def test_a_changed_copy_of_a_file_of_the_package_is_not_what_was_published(
    write, cifar, change, beside, told
):
    """Trap: a copy of ce.yaml with another loss stood as ce beside cross-entropy's number."""
    run = Run.read(write("ce/0", cifar(command=command("ce")), config=shipped(change)))
    grid = Grid.of([run])
    (data,) = grid.data_labels
    (cell,) = grid.column(data)
    assert bool(all_beside(cell)) == beside
    if beside:
        row, _ = all_beside(cell)[0]
        said = [text for text in departures(cell, row) if text.startswith("changed")]
        assert said == ([f"changed: {told}"] if told else [])


def test_a_second_stage_behind_another_run_says_so_without_its_config(write, cifar):
    """Trap: its minutes stood in the CSV, and in the page, as those of the whole method."""
    given = command("crt", more=("--model.stage1_ckpt", "runs/ce/0"))
    grid = Grid.of([Run.read(write("crt/0", cifar(command=given)))])
    (row,) = csv.DictReader(io.StringIO(comma_separated(grid)))
    assert row["behind_another_run"] == "yes"
    (cell,) = grid.cells.values()
    assert cell.first.took_over
