"""A run is what it ended with, and what the runs were that it began with."""

import csv
import io

import pytest
import yaml

from lt_lightning.report.cell import Grid
from lt_lightning.report.command import report
from lt_lightning.report.labels import labels
from lt_lightning.report.published import all_beside
from lt_lightning.report.run import Run
from lt_lightning.report.setting import setting_of
from lt_lightning.report.shipped import laid


def config_of(name, *, trainer=(), model=(), pretrain=()):
    """Return a config of the package as a run keeps it."""
    found = yaml.safe_load(yaml.safe_dump(laid((name,))))
    found["trainer"] = {**found.get("trainer", {}), **dict(trainer)}
    found["model"]["init_args"] |= dict(model)
    found["pretrain"] = {**found.get("pretrain", {}), **dict(pretrain)}
    return found


def gone_on(write, cifar, name, lengths, *, told=None, planned="last", **options):
    """Write a run that was gone on with, by the epochs that each command asked for."""
    content = cifar(command=["lt", "fit", "--config", "configs/ce.yaml"], **options)
    content["training"] |= {"epochs": told or lengths[-1]}
    if planned is not None:
        content["training"]["planned_epochs"] = lengths[-1] if planned == "last" else planned
    configs = [config_of("ce", trainer={"max_epochs": length}) for length in lengths]
    folder = write(name, content, config=configs[0])
    for number, config in enumerate(configs[1:], 1):
        (folder / f"config-resumed-{number}.yaml").write_text(yaml.safe_dump(config))
    return folder


def sizes(folders):
    grid = Grid.of([Run.read(folder) for folder in folders])
    return sorted(len(cell.entries) for cell in grid.cells.values())


@pytest.mark.parametrize("planned", ["last", None])
def test_a_run_that_was_trained_on_is_a_repetition_of_long_runs(write, cifar, planned):
    """Trap: a run of one epoch, gone on with to three, was averaged with one of one epoch."""
    short = gone_on(write, cifar, "ce/0", [1], seed=0)
    on = gone_on(write, cifar, "ce/1", [1, 3], seed=1, planned=planned)
    long = gone_on(write, cifar, "ce/2", [3], seed=2)
    assert sizes([short, on]) == [1, 1]
    assert sizes([on, long]) == [2]


def test_a_command_that_trained_nothing_makes_no_longer_run(write, cifar):
    on = gone_on(write, cifar, "ce/1", [1, 3, 9], seed=1, told=3, planned=3)
    assert sizes([on, gone_on(write, cifar, "ce/2", [3], seed=2)]) == [2]


def test_a_test_that_tells_how_long_it_was_at_first_is_not_believed(write, cifar):
    on = gone_on(write, cifar, "ce/1", [1, 3], seed=1, planned=1)
    assert sizes([on, gone_on(write, cifar, "ce/2", [3], seed=2)]) == [2]


def test_whatever_was_changed_counts(write, cifar):
    on, other = (gone_on(write, cifar, f"ce/{k}", [3, 3], seed=k) for k in (0, 1))
    clipped = config_of("ce", trainer={"max_epochs": 3, "gradient_clip_val": 1.0})
    (on / "config-resumed-1.yaml").write_text(yaml.safe_dump(clipped))
    assert sizes([on, other]) == [1, 1]


def behind(write, cifar, name, path, *, method="ssp_balanced", **options):
    """Write a run behind the pre-training of another, as a sweep asks for it."""
    words = f"lt fit --config configs/{method}.yaml --pretrain.config=null --pretrain.options=null"
    content = cifar(command=[*words.split(), f"--model.backbone_init={path}"], **options)
    model = {"backbone_init": f"{path}/checkpoints/last.ckpt"}
    config = config_of(method, model=model, pretrain={"config": None})
    return write(name, content, config=config)


def pre_training(write, results, name, **parts):
    config = config_of("ssp_rotation", **parts)
    config["data"] = config_of("ssp_balanced")["data"] | {
        key: value for key, value in config["data"].items() if "sampler" in key
    }
    return write(f"{name}/pretrain", results(), config=config)


@pytest.mark.parametrize("seeds", [1, 2])
@pytest.mark.parametrize("kept", [True, False])
def test_rows_behind_other_pre_trainings_are_other_rows(
    write, cifar, results, tmp_path, seeds, kept
):
    """Trap: 70 and 50 gave 60.0 ± 14.1; of one seed, one row was gone without a word."""
    runs = []
    for before, accuracy in (("a", 0.7), ("b", 0.5)):
        for seed in range(seeds):
            if kept:
                pre_training(write, results, f"{before}/seed{seed}")
            path = tmp_path / f"runs/{before}/seed{seed}/pretrain"
            name = f"row_{before}/seed{seed}"
            runs.append(behind(write, cifar, name, path, accuracy=accuracy, seed=seed))
    settings = [setting_of(Run.read(folder)) for folder in runs]
    names = labels([(setting, "run") for setting in settings])
    assert {*names.values()} == {"ssp_balanced after a", "ssp_balanced after b"}
    assert sizes(runs) == [seeds, seeds]


def test_pre_trainings_of_one_name_are_told_apart_where_they_lie(write, cifar, results, tmp_path):
    runs = []
    for seed, epochs in enumerate((200, 200, 50)):
        pre_training(write, results, f"a/{seed}", trainer={"max_epochs": epochs})
        path = tmp_path / f"runs/a/{seed}/pretrain"
        runs.append(behind(write, cifar, f"row/{seed}", path, seed=seed))
    assert sizes(runs) == [1, 2]


def test_so_are_first_stages_of_one_name(write, cifar, tmp_path):
    runs = []
    for seed, epochs in enumerate((200, 200, 50)):
        write(f"ce/{seed}", cifar(), config=config_of("ce", trainer={"max_epochs": epochs}))
        model = {"stage1_ckpt": str(tmp_path / f"runs/ce/{seed}/checkpoints/last.ckpt")}
        content = cifar(method="crt", seed=seed)
        runs.append(write(f"crt/{seed}", content, config=config_of("crt", model=model)))
    assert sizes(runs) == [1, 2]


@pytest.mark.parametrize(
    ("parts", "number", "told"),
    [
        ({}, True, []),
        ({"trainer": {"max_epochs": 50}}, True, ["pretrain.options"]),
        ({"model": {"projection": {"class_path": "ProjectionHead"}}}, False, None),
    ],
    ids=["as-shipped", "shorter", "otherwise"],
)
def test_a_number_stands_beside_the_pre_training_of_the_package_alone(
    write, cifar, results, tmp_path, parts, number, told
):
    pre_training(write, results, "a/seed0", **parts)
    run = Run.read(behind(write, cifar, "row/seed0", tmp_path / "runs/a/seed0/pretrain"))
    (cell,) = Grid.of([run]).cells.values()
    assert bool(all_beside(cell)) == number
    if number:
        changes = [key for key in cell.first.setting.recipe_changes if "pretrain" in key]
        assert changes == told


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("runs/ssp_uniform/seed0/pretrain", True),
        ("runs/s/ssp_uniform-cifar10_100/seed0/pretrain", True),
        ("runs/ssp_rotation/0", True),
        ("runs/mine/seed0/pretrain", False),
        ("runs/ce/0", False),
        ("runs/ssp_moco/0", False),
    ],
)
def test_a_pre_training_that_is_gone_is_known_by_its_name(write, cifar, path, number):
    folder = behind(write, cifar, "s/ssp_balanced-cifar10_100/seed0", path)
    (cell,) = Grid.of([Run.read(folder)]).cells.values()
    assert bool(all_beside(cell)) == number


def test_no_number_stands_beside_a_method_whose_pre_training_was_left_out(write, cifar):
    words = "lt fit --config configs/ssp_balanced.yaml --pretrain.config=null"
    config = config_of("ssp_balanced", pretrain={"config": None})
    run = Run.read(write("a/0", cifar(command=words.split()), config=config))
    (cell,) = Grid.of([run]).cells.values()
    assert all_beside(cell) == []


def test_every_format_says_which_runs_it_left_out(write, cifar, tmp_path):
    for version in ("0", "1"):
        write(f"ce/{version}", cifar())
    older = str(tmp_path / "runs/ce/0")
    for style in ("md", "latex", "csv"):
        text, status = report([str(tmp_path / "runs"), "--format", style])
        assert status == 0
        assert older in text.replace("\\", ""), style
    (row,) = csv.DictReader(io.StringIO(report([str(tmp_path / "runs"), "--format", "csv"])[0]))
    assert row["notes"] == f"left out, for a newer run is the same: {older}"
    out = tmp_path / "a.html"
    report([str(tmp_path / "runs"), "--out", str(out)])
    assert (
        f"Left out, for a newer run has the same setting, precision, data and seeds: {older}"
        in (out.read_text())
    )
    lone = [report([str(tmp_path / "runs/ce/1"), "--format", s])[0] for s in ("md", "latex", "csv")]
    assert not [text for text in lone if "left out" in text.lower()]


def precise(write, cifar, name, precision, **options):
    config = config_of("ce", trainer={"precision": precision})
    return write(name, cifar(**options), config=config)


def test_seeds_of_several_precisions_are_averaged_with_a_word(write, cifar, tmp_path):
    for seed, precision in enumerate(("32-true", "bf16-mixed")):
        precise(write, cifar, f"ce/{seed}", precision, seed=seed)
    (cell,) = Grid.of([Run.read(tmp_path / f"runs/ce/{k}") for k in (0, 1)]).cells.values()
    assert (len(cell.entries), cell.notes) == (2, ["precisions"])
    text, _ = report([str(tmp_path / "runs"), "--format", "md"])
    assert "several precisions" in text


def test_one_seed_in_two_precisions_makes_two_rows(write, cifar):
    """Trap: the older one was gone without a word."""
    told = [("32-true", 0), ("bf16-mixed", 0), ("bf16-mixed", 1)]
    runs = [precise(write, cifar, f"ce/{k}", p, seed=s) for k, (p, s) in enumerate(told)]
    grid = Grid.of([Run.read(folder) for folder in runs])
    counts = {method: len(cell.entries) for (method, _), cell in grid.cells.items()}
    assert counts == {"ce, 32-true": 1, "ce, bf16-mixed": 2}
    assert grid.left_out == []
    assert {cell.trained for cell in grid.cells.values()} == {*counts}
    assert not [note for cell in grid.cells.values() for note in cell.notes]
