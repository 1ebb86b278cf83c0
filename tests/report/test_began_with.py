"""Runs that began with another one, or with its config: what they are called, and held against."""

import json

import pytest
import yaml

from lt_lightning.report.cell import Grid
from lt_lightning.report.labels import labels
from lt_lightning.report.published import all_beside
from lt_lightning.report.run import Run
from lt_lightning.report.setting import setting_of
from lt_lightning.report.shipped import laid

CE, SHORT = "--config configs/ce.yaml", "--config configs/recipe/short.yaml"


def config_of(*names, **model):
    found = yaml.safe_load(yaml.safe_dump(laid(names)))
    found["model"]["init_args"] |= model
    return {"trainer": {}, **found}


def second_stage(write, cifar, first, name="crt/1", seed=0):
    """Write a run of cRT on a first stage."""
    config = config_of("crt", stage1_ckpt=f"{first}/checkpoints/last.ckpt")
    return write(name, cifar(method="crt", seed=seed), config=config)


def cell_of(folder):
    (cell,) = Grid.of([Run.read(folder)]).cells.values()
    return cell


@pytest.mark.parametrize(
    ("first", "model", "number"),
    [
        (("ce",), {}, 74.99),
        (("ce", "recipe/short"), {}, 74.99),
        (("balanced_softmax",), {}, None),
        (("mixup",), {}, None),
        (("sampler_class_balanced",), {}, None),
        (("ldam_drw",), {}, None),
        (("ce",), {"backbone_init": "runs/ssp/0"}, None),
        (("ce",), {"tuning": {"class_path": "FineTuning"}}, None),
        (("ce",), {"backbone": {"class_path": "ResNetCIFAR", "init_args": {"depth": 56}}}, None),
    ],
    ids=str,
)
def test_a_number_stands_beside_the_first_stage_of_the_package_alone(
    write, cifar, first, model, number
):
    """Trap: cRT on mixup, or on a fine-tuned network, stood beside cRT on cross-entropy."""
    folder = write("first/0", cifar(), config=config_of(*first, **model))
    cell = cell_of(second_stage(write, cifar, folder))
    found = all_beside(cell)
    assert (found[0][1] if found else None) == number
    assert cell.method == ("crt" if number else "crt, other first stage")


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("runs/mixup/0", None),
        ("runs/short/mixup-cifar10-100/seed0", None),
        ("runs/short/ce-strong-cifar10-100/seed0", 74.99),
        ("runs/ce/0", 74.99),
        ("runs/mine/0", 74.99),
    ],
)
def test_of_a_first_stage_that_is_gone_the_name_tells(write, cifar, path, number):
    found = all_beside(cell_of(second_stage(write, cifar, path)))
    assert (found[0][1] if found else None) == number


@pytest.mark.parametrize(("epochs", "rows"), [((200, 200, 200), 1), ((200, 50, 200), 3)])
def test_of_seeds_whose_first_stage_is_gone_the_others_tell(write, cifar, epochs, rows):
    """Trap: a first stage was deleted, and its second one was no seed of the row any more."""
    runs = []
    for seed, length in enumerate(epochs):
        config = config_of("ce") | {"trainer": {"max_epochs": length}}
        first = write(f"ce/{seed}", cifar(), config=config)
        runs.append(second_stage(write, cifar, first, f"crt/{seed}", seed))
        if seed == 2:
            (first / "config.yaml").unlink()
    grid = Grid.of([Run.read(run) for run in runs])
    assert len(grid.cells) == rows


def test_mislas_begins_with_mixup(write, cifar):
    for first, number in (("mixup", 82.1), ("ce", None)):
        folder = write(f"{first}/0", cifar(method=first), config=config_of(first))
        config = config_of("mislas", stage1_ckpt=f"{folder}/checkpoints/last.ckpt")
        run = write(f"mislas_{first}/0", cifar(method="mislas"), config=config)
        found = all_beside(cell_of(run))
        assert (found[0][1] if found else None) == number


def test_a_namesake_beside_a_run_is_not_read_in_the_place_of_the_named_one(write, cifar, tmp_path):
    """Trap: old/ce/0 was named and there, and new/ce/0 was read."""
    named = tmp_path / "runs/old/ce/0"
    named.mkdir(parents=True)
    (named / "config.yaml").write_text(yaml.safe_dump(config_of("balanced_softmax")))
    beside = write("ce/0", cifar(), config=config_of("ce"))
    runs = [
        second_stage(write, cifar, first, f"crt/{k}") for k, first in enumerate((named, beside))
    ]
    assert len({setting_of(Run.read(run)) for run in runs}) == 2


@pytest.mark.parametrize("place", ["x" * 300, "/", "/crt", "a/b\0c"])
def test_a_place_that_cannot_be_looked_at_is_as_if_it_were_gone(write, cifar, place):
    assert cell_of(second_stage(write, cifar, place)).method == "crt"


def again(write, cifar, words, name, seed, config):
    content = cifar(seed=seed, command=["lt", "fit", *words.split()])
    return write(name, content, config=config)


@pytest.mark.parametrize("file", ["config.yaml", "config-resumed-1.yaml"])
def test_a_run_by_the_config_of_another_is_a_seed_of_it(write, cifar, file):
    """Trap: it was a row of its own, called by its folder, without a published number."""
    config = config_of("ce", "recipe/short")
    first = again(write, cifar, f"{CE} {SHORT}", "sweep/seed0", 0, config)
    command = ["lt", "fit", *f"{CE} {SHORT}".split()]
    (first / "command.json").write_text(json.dumps({"command": command}))
    words = f"--config {first / file} --seed_everything 1"
    second = again(write, cifar, words, "ce/1", 1, config)
    settings = [setting_of(Run.read(folder)) for folder in (first, second)]
    assert settings[0] == settings[1]
    assert {*labels([(one, "run") for one in settings]).values()} == {"ce-short"}
    assert all(all_beside(cell_of(folder))[0][1] == 70.36 for folder in (first, second))


@pytest.mark.parametrize("place", ["a=b/seed0", "sweep/seed0"])
@pytest.mark.parametrize("option", ["--config ", "--config=", "-c "])
def test_a_run_by_a_run_by_a_run_is_told_by_the_first(write, cifar, place, option):
    config = config_of("ce", "recipe/short")
    told = f"{CE} {SHORT}"
    for seed, name in enumerate((place, "ce/1", "other/2")):
        folder = again(write, cifar, told, name, seed, config)
        (folder / "command.json").write_text(json.dumps({"command": ["lt", "fit", *told.split()]}))
        told = f"--seed_everything 3 {option}{folder}/config.yaml"
    assert cell_of(folder).method == "ce-short"


def test_a_run_that_was_moved_with_the_run_of_its_config_is_told_by_it(write, cifar):
    first = again(write, cifar, CE, "sweep/seed0", 0, config_of("ce"))
    (first / "command.json").write_text(json.dumps({"command": ["lt", "fit", *CE.split()]}))
    words = "--config elsewhere/sweep/seed0/config.yaml"
    assert cell_of(again(write, cifar, words, "mine/1", 1, config_of("ce"))).method == "ce"


@pytest.mark.parametrize("words", ["--config runs/mine/1/config.yaml", "--config config.yaml"])
def test_a_run_that_names_itself_or_nothing_that_is_there_has_the_name_of_its_folder(
    write, cifar, words
):
    folder = again(write, cifar, words, "mine/1", 1, config_of("ce"))
    (folder / "command.json").write_text(json.dumps({"command": ["lt", "fit", *words.split()]}))
    assert setting_of(Run.read(folder)).base == "mine"


def test_what_is_given_over_the_config_of_a_run_counts(write, cifar):
    config = config_of("ce")
    first = again(write, cifar, CE, "sweep/seed0", 0, config)
    command = ["lt", "fit", *CE.split()]
    (first / "command.json").write_text(json.dumps({"command": command}))
    config["model"]["init_args"]["loss"] = {"class_path": "LDAM"}
    words = f"--config={first}/config.yaml --model.loss LDAM"
    second = again(write, cifar, words, "ce/1", 1, config)
    assert setting_of(Run.read(second)).base == "ce"
    assert all_beside(cell_of(second)) == []


def test_results_that_a_test_wrote_are_of_the_run_all_the_same(write, cifar):
    """Trap: results.json was lost, and lt test wrote it anew."""
    config = config_of("ce", "recipe/short")
    command = ["lt", "fit", *f"{CE} {SHORT}".split()]
    content = cifar(command=["lt", "test", "runs/ce-cifar-100/seed0"])
    folder = write("ce-cifar-100/seed0", content, config=config)
    assert setting_of(Run.read(folder)).base == "ce-cifar-100"
    (folder / "command.json").write_text(json.dumps({"command": command}))
    assert cell_of(folder).method == "ce-short"


def test_a_recipe_that_is_given_twice_counts_once(write, cifar):
    config = config_of("ce", "recipe/short")
    folders = [
        again(write, cifar, f"{CE} {' '.join([SHORT] * times)}", f"ce/{times}", times, config)
        for times in (1, 2)
    ]
    assert len({setting_of(Run.read(folder)) for folder in folders}) == 1


@pytest.mark.parametrize(
    ("words", "model", "number"),
    [
        ("--model.backbone.depth=32", {}, 70.36),
        ("--data.normalize=null --data.augment RandomCropFlip", {}, 70.36),
        ("--trainer.callbacks+=LearningRateMonitor", {}, 70.36),
        (
            "--model.backbone.depth=20",
            {"backbone": {"class_path": "ResNetCIFAR", "init_args": {"depth": 20}}},
            None,
        ),
    ],
    ids=str,
)
def test_a_usual_value_that_is_typed_out_changes_nothing(write, cifar, words, model, number):
    """Trap: the published number was lost by what was typed, and not by what was trained."""
    cell = cell_of(again(write, cifar, f"{CE} {words}", "ce/0", 0, config_of("ce", **model)))
    found = all_beside(cell)
    assert (found[0][1] if found else None) == number
