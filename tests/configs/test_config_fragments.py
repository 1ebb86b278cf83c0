"""Fragments for data, trainer and logger, laid over a method's file."""

import importlib.util
import json

import pytest
import torch
from config_files import CONFIGS, content
from PIL import Image

SMALL = [
    *("--trainer.accelerator", "cpu", "--trainer.precision", "32-true"),
    *("--model.backbone.depth", "8", "--model.backbone.width", "4", "--trainer.max_epochs", "1"),
    *("--data.batch_size", "8", "--data.eval_batch_size", "16"),
    *(f"--trainer.limit_{split}_batches=1" for split in ("train", "val", "test")),
]
FRAGMENTS = sorted(path for path in CONFIGS.glob("*/*.yaml") if path.parent.name != "sweeps")
METHODS = {"fine_tune": "ce", "short_stage2": "crt"}  # of one network, of two stages; else bbn


def _lay(*names):
    found = []
    for name in names:
        found += ["--config", str(CONFIGS / f"{name}.yaml")]
    return found


def _run(lt, tmp_path, *arguments, **environment):
    answer = lt(["fit", *arguments, *SMALL, "--name", "run"], LT_CACHE=str(tmp_path), **environment)
    assert answer.status == 0, answer.err
    folder = tmp_path / "runs" / "run" / "0"
    return folder, json.loads((folder / "results.json").read_text(encoding="utf-8"))


def _leaves(tree, above=()):
    for key, value in tree.items():
        path = above if key == "init_args" else (*above, key)
        if isinstance(value, dict):
            yield from _leaves(value, path)
        elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
            yield from _leaves(dict(enumerate(value)), path)
        else:
            yield path, value


def _plain(options):
    return json.loads(json.dumps(options.as_dict(), default=str))


# One of each folder; test_every_config_builds.py looks at the names in all of them.
LAID = {"data/digits", "trainer/quick", "logger/wandb", "recipe/fine_tune"}


def _fragments():
    for path in FRAGMENTS:
        name = f"{path.parent.name}/{path.stem}"
        yield pytest.param(path, id=name, marks=[] if name in LAID else pytest.mark.slow)


@pytest.mark.parametrize("path", list(_fragments()))
def test_every_value_of_a_fragment_wins_over_the_method(path, parse):
    given = dict(_leaves(content(path)))
    method = CONFIGS / f"{METHODS.get(path.stem, 'bbn')}.yaml"
    options = parse("--config", method, "--config", path, *_last(given))
    laid = dict(_leaves(_plain(options)))
    for key, value in given.items():
        if key[-1] == "class_path":
            assert laid[key].rsplit(".", 1)[-1] == value.rsplit(".", 1)[-1]
        elif key == ("trainer", "max_epochs") and value is None:
            assert laid[key] == given["model", "stage1_epochs"] + given["model", "stage2_epochs"]
        else:
            assert laid[key] == value


def _last(given):
    """Return the accelerator of the fragment again: `parse` asks for the CPU."""
    wanted = given.get(("trainer", "accelerator"))
    return [] if wanted is None else ["--trainer.accelerator", wanted]


def test_fragments_of_the_default_tests_are_there():
    folders = {name.partition("/")[0] for name in LAID}
    assert {f"{path.parent.name}/{path.stem}" for path in FRAGMENTS} >= LAID
    assert {path.parent.name for path in FRAGMENTS} == folders


def test_fragments_name_no_more_than_their_part():
    parts = {"data": "data", "trainer": "trainer", "logger": "trainer"}
    for path in FRAGMENTS:
        every_part = path.stem == "quick" or path.parent.name == "recipe"
        allowed = {"trainer", "model", "data"} if every_part else {parts[path.parent.name]}
        assert set(content(path)) <= allowed, path


def test_strong_recipe_augments_as_the_file_of_strong_augmentation():
    recipe, file = (
        content(CONFIGS / f"{n}.yaml") for n in ("recipe/strong", "strong_augmentation")
    )
    assert recipe["data"]["augment"] == file["data"]["augment"]


@pytest.mark.parametrize("name", ["balanced_softmax", "ldam_drw", "bbn", "crt"])
def test_strong_recipe_goes_over_one_stage_margins_branches_and_two_stages(name, build):
    config = content(CONFIGS / f"{name}.yaml")["model"]["init_args"]
    model = build(*_lay(name, "recipe/strong")).model
    assert type(model.head).__name__ == "CosineHead"
    assert model.head.scale == 30.0
    assert type(model.loss).__name__ == config["loss"]["class_path"]
    (group,) = model.optimizer_factory([torch.nn.Parameter(torch.zeros(1))]).param_groups
    assert (group["nesterov"], group["weight_decay"], group["lr"]) == (True, 5e-4, 0.1)
    assert model.lr_schedule(0, 200) == pytest.approx(0.2)
    assert model.lr_schedule(199, 200) < 1e-3


def test_digits_replace_an_augmentation_that_mirrors(parse):
    options = parse(*_lay("strong_augmentation", "data/digits"))
    augment = options.data.augment
    assert augment.class_path.endswith("RandomCropFlip")
    assert (augment.init_args.padding, augment.init_args.flip) == (4, 0.0)
    assert "transforms" not in augment.init_args


@pytest.mark.slow
@pytest.mark.parametrize("method", ["bbn", "crt"])
def test_digits_run(method, lt, tmp_path):
    stages = ["--model.stage1_epochs", "1", "--model.stage2_epochs", "1"]
    short = [*stages, "--trainer.max_epochs", "2"] if method == "crt" else []
    answer = lt(["fit", *_lay(method, "data/digits"), *SMALL, *short, "--data.monitor_test=true"])
    assert answer.status == 0, answer.err
    assert (tmp_path / "runs" / f"{method}-digits" / "0" / "results.json").is_file()


@pytest.mark.slow
def test_cifar100_runs(lt, tmp_path, small_cifar):
    more = ["--data.root", str(small_cifar), "--data.profile.imbalance_ratio", "10"]
    _, results = _run(lt, tmp_path, *_lay("ce", "data/cifar100"), *more)
    assert len(results["data"]["class_counts"]) == 100


@pytest.fixture
def pictures(tmp_path):
    root = tmp_path / "pictures"
    for split, counts in (("train", (12, 5)), ("test", (2, 2))):
        for name, count in zip(("ant", "bee"), counts, strict=True):
            folder = root / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                Image.new("RGB", (40, 36), (10 * number, 90, 60)).save(folder / f"{number}.png")
    return root


@pytest.mark.parametrize(
    "fragment", ["folder", pytest.param("folder_large", marks=pytest.mark.slow)]
)
def test_folders_run(fragment, lt, tmp_path, pictures):
    more = ["--data.root", str(pictures), "--data.source.image_size", "32", "--data.workers", "0"]
    _, results = _run(lt, tmp_path, *_lay("ce", f"data/{fragment}"), *more)
    assert results["data"]["class_counts"] == [12, 5]


def test_colour_jitter_of_the_head_of_folder_large_is_understood(parse):
    lines = (CONFIGS / "data" / "folder_large.yaml").read_text(encoding="utf-8").splitlines()
    (line,) = [line for line in lines if "ColorJitter" in line]
    key, kind, transforms, value = line.lstrip("# ").split(" ", 3)
    options = parse(*_lay("ce", "data/folder_large"), key, kind, transforms, value.strip("'"))
    names = [
        item.class_path.rsplit(".", 1)[-1] for item in options.data.augment.init_args.transforms
    ]
    assert names == ["RandomCropFlip", "ColorJitter"]


def test_quick_run_is_short_and_small(parse):
    options = parse(*_lay("ldam_drw", "data/digits", "trainer/quick"))
    assert options.trainer.max_epochs == 30
    assert options.data.batch_size == 16
    assert options.model.init_args.optimizer.init_args.lr == 0.05
    assert options.model.init_args.lr_schedule.init_args.warmup_epochs == 2


@pytest.mark.slow
def test_wandb_fragment_runs_offline_without_a_key(lt, tmp_path):
    folder, _ = _run(lt, tmp_path, *_lay("ce", "data/digits", "logger/wandb"))
    assert list(folder.rglob("offline-run-*")) or list(tmp_path.rglob("offline-run-*"))


@pytest.mark.slow
def test_tensorboard_fragment_writes_events_or_says_what_is_missing(lt, tmp_path):
    answer = lt(["fit", *_lay("ce", "data/digits", "logger/tensorboard"), *SMALL])
    if importlib.util.find_spec("tensorboard"):
        assert answer.status == 0, answer.err
        assert list(tmp_path.rglob("events.out.tfevents*"))
    else:
        assert answer.status == 1
        (line,) = answer.err.strip().splitlines()
        assert "`tensorboard`" in line
        assert line.endswith("is available: install the package, or leave out what needs it.")
