"""A run is held against what the package's own files make, whatever files it was made by."""

import copy

import pytest
import yaml
from class_defaults import table
from lt_parsed import stopped
from lt_runs import in_process

from lt_lightning.cli.app import LTCLI
from lt_lightning.report.cell import Grid
from lt_lightning.report.options import differing, flat
from lt_lightning.report.published import all_beside
from lt_lightning.report.run import Run
from lt_lightning.report.setting import setting_of
from lt_lightning.report.shipped import DEFAULTS, filled, laid, made, source_of
from lt_lightning.runs.packaged import configs
from lt_lightning.runs.yaml_file import read_yaml

METHODS = [name for name in configs() if "/" not in name]
RECIPES = [name for name in configs() if name.startswith("recipe/")]
FRAGMENTS = [name for name in configs() if name.startswith(("data/", "trainer/"))]
STAGES = "recipe/short_stage2"


def words(*files):
    return [word for file in files for word in ("--config", str(file))]


@pytest.fixture
def resolved(tmp_path, monkeypatch):
    """Return the config of a fit by files of the package, as the parser completes it."""
    monkeypatch.chdir(tmp_path)
    call = stopped(in_process, monkeypatch, LTCLI.dumped, "before_instantiate_classes")
    return lambda *names: yaml.safe_load(call("fit", *words(*(configs()[n] for n in names))))


def test_the_table_of_defaults_is_what_the_classes_say():
    """`python tests/kit/class_defaults.py` writes it anew."""
    assert read_yaml(DEFAULTS) == table()


SOME = [("ce",), ("bbn", "recipe/short"), ("crt", "recipe/short", STAGES), ("ce", "recipe/strong")]
SOME += [("ce", "data/folder_large"), ("ldam_drw", "trainer/quick")]


@pytest.mark.parametrize("names", SOME, ids="+".join)
def test_files_of_the_package_make_what_the_parser_makes(resolved, names):
    config = resolved(*names)
    assert differing(flat(filled(config)), made(names, source_of(config))) == []


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_every_method_under_every_recipe_is_what_the_parser_makes(resolved, method):
    two = "stage1_epochs" in laid((method,))["model"]["init_args"]
    tuned = laid((method,))["model"]["class_path"] == "ERM"
    recipes = [r for r in RECIPES if (two or r != STAGES) and (tuned or "fine_tune" not in r)]
    for more in ((), *((one,) for one in recipes)):
        try:
            config = resolved(method, *more)
        except pytest.fail.Exception:  # a recipe that the method refuses
            assert more
            continue
        assert differing(flat(filled(config)), made((method, *more), source_of(config))) == []


def full(*names, **parts):
    """Return what a run keeps of files of the package, with other parts laid over it by path."""
    config = copy.deepcopy(laid(names))
    for path, value in parts.items():
        inner = config
        *keys, last = path.split("__")
        for key in keys:
            inner = inner.setdefault(key, {})
        inner[last] = value
    return config


def row(write, cifar, files, config):
    """Return the only cell of a run by these files."""
    command = ["lt", "fit", *words("configs/ce.yaml", *files)]
    run = Run.read(write("mine/0", cifar(command=command), config=config))
    (cell,) = Grid.of([run]).cells.values()
    return cell


STRANGE = [
    {"data__augment": {"class_path": "AutoAugment"}},
    {"data__augment": None},
    {"data__source": {"class_path": "ImageFolder", "init_args": {"image_size": 16}}},
    {"data__source": {"class_path": "ImageFolder", "init_args": {"scale": 0.5}}},
    {"data__normalize": {"class_path": "Normalize", "init_args": {"mean": [0.5, 0.5, 0.5]}}},
    {"data__sampler": {"class_path": "SquareRoot"}},
    {"trainer__limit_train_batches": 0.1},
    {"trainer__limit_train_batches": 1},
    {"trainer__callbacks": [{"class_path": "lightning.pytorch.callbacks.EMAWeightAveraging"}]},
    {"model__init_args__deferred_weights": {"class_path": "EffectiveNumber"}},
    {"model__init_args__backbone__init_args__weights": "mine.pt"},
    {"model__init_args__backbone_init": "runs/a/0/checkpoints/last.ckpt"},
    {"model__init_args__head_start": "class_means"},
    {"model__init_args__loss__init_args": {"weights": {"class_path": "EffectiveNumber"}}},
    {"pretrain__config": "mine.yaml"},
]
FOLDERS = ("data/mine.yaml", "trainer/mine.yaml", "logger/mine.yaml", "mine.yaml", "x/mine.yaml")


@pytest.mark.parametrize("parts", STRANGE, ids=lambda parts: next(iter(parts)))
@pytest.mark.parametrize("file", FOLDERS)
def test_a_file_of_the_own_in_any_folder_counts_as_what_it_sets(write, cifar, parts, file):
    """Trap: with data/mine.yaml all of these stood as ce beside cross-entropy's number."""
    cell = row(write, cifar, [file], full("ce", **parts))
    assert all_beside(cell) == []
    assert cell.method == "ce-mine"


PLAIN = [
    {"data__root": "/elsewhere", "data__workers": 0, "trainer__devices": 2},
    {"data__source": {"class_path": "ImageFolder", "init_args": {"image_size": 32}}},
    {"data__source": {"class_path": "ImageTable", "init_args": {"file": "a.csv"}}},
    {"data__profile": {"class_path": "AsIs"}, "data__group_rule": {"class_path": "ShotGroups"}},
    {"data__normalize": {"class_path": "lt_lightning.augment.Normalize"}},
    {"data__augment": {"class_path": "RandomCropFlip", "init_args": {"padding": 4}}},
    {"trainer__limit_train_batches": 1.0, "trainer__precision": "bf16-mixed"},
    {"trainer__logger": {"class_path": "WandbRun"}, "model__init_args__channels_last": False},
]


@pytest.mark.parametrize("parts", PLAIN, ids=lambda parts: next(iter(parts)))
@pytest.mark.parametrize("file", FOLDERS)
def test_a_file_of_the_own_that_says_where_the_images_are_changes_no_name(
    write, cifar, parts, file
):
    cell = row(write, cifar, [file], full("ce", **parts))
    assert cell.method == "ce"
    assert all_beside(cell)[0][1] == 70.36


def test_what_a_file_of_the_own_sets_of_the_recipe_is_said(write, cifar):
    config = full("ce", trainer__gradient_clip_val=1.0, data__batch_size=32)
    cell = row(write, cifar, ["trainer/mine.yaml"], config)
    assert cell.method == "ce"
    assert all_beside(cell)
    changes = cell.first.setting.recipe_changes
    assert changes == ["data.batch_size", "trainer.gradient_clip_val"]


def test_a_method_of_the_own_is_called_by_its_file(write, cifar):
    command = ["lt", "fit", *words("mine/method.yaml", "mine/where.yaml")]
    run = Run.read(write("a/0", cifar(command=command), config=full("ce")))
    assert setting_of(run).base == "method-where"


@pytest.mark.parametrize("name", ["data/folder_large", "trainer/quick"])
@pytest.mark.parametrize("kept", [True, False])
def test_a_fragment_of_the_package_that_trains_otherwise_has_no_number(write, cifar, name, kept):
    """Trap: pictures of 224 pixels stood beside the number of those of 32."""
    config = full("ce", name) if kept else None
    cell = row(write, cifar, [f"configs/{name}.yaml"], config)
    assert all_beside(cell) == []
    assert cell.method == "ce"


@pytest.mark.parametrize("name", ["data/cifar10", "data/folder", "trainer/gpu", "logger/wandb"])
@pytest.mark.parametrize("kept", [True, False])
def test_a_fragment_of_the_package_that_says_where_keeps_the_number(write, cifar, name, kept):
    config = full("ce", name) if kept else None
    assert all_beside(row(write, cifar, [f"configs/{name}.yaml"], config))


def test_a_namesake_of_a_fragment_of_the_package_is_told_by_what_it_sets(write, cifar):
    config = full("ce", data__augment={"class_path": "AutoAugment"})
    cell = row(write, cifar, ["data/cifar10.yaml"], config)
    assert (cell.method, all_beside(cell)) == ("ce, augment AutoAugment", [])


def test_without_its_config_a_file_of_the_own_may_be_anything(write, cifar):
    for file in FOLDERS:
        command = ["lt", "fit", *words("configs/ce.yaml", file)]
        folder = write(f"{file[:-10]}_/0", cifar(command=command))
        assert setting_of(Run.read(folder)).base == "ce-mine"


def test_a_file_of_the_own_has_a_namesake_in_another_folder(write, cifar):
    files = ["configs/data/folder.yaml", "trainer/folder.yaml"]
    cell = row(write, cifar, files, full("ce", trainer__limit_train_batches=0.5))
    assert cell.method == "ce-folder"


@pytest.mark.parametrize("kept", [True, False])
def test_a_transform_in_a_recipe_counts_as_well(write, cifar, kept):
    config = full("ce", "recipe/strong")
    if not kept:
        config["data"]["augment"]["init_args"]["transforms"].pop()
    command = ["lt", "fit", *words("configs/ce.yaml", "configs/recipe/strong.yaml")]
    setting = setting_of(Run.read(write("a/0", cifar(command=command), config=config)))
    assert (setting.unexplained == ()) == kept


@pytest.mark.parametrize(
    "part",
    [
        {"deferred_weights": {"class_path": "EffectiveNumber"}},
        {"deferred_loss": {"class_path": "LDAM"}},
        {"backbone_init": "runs/a/0"},
    ],
    ids=lambda part: next(iter(part)),
)
def test_cross_entropy_with_something_added_is_no_baseline(write, cifar, part):
    config = full("ce")
    config["model"]["init_args"] |= part
    command = ["lt", "fit", *words("configs/ce.yaml", "mine.yaml")]
    assert not setting_of(Run.read(write("a/0", cifar(command=command), config=config))).is_baseline


def test_an_option_that_a_run_of_before_does_not_know_is_as_by_default(write, cifar):
    old, new = full("ce"), full("ce", model__init_args__head_start="random")
    found = [write(f"r{k}/0", cifar(), config=config) for k, config in enumerate((old, new))]
    assert len({setting_of(Run.read(folder)) for folder in found}) == 1
