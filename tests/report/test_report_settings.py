"""Which runs are repetitions of one another, and what they are called."""

import pytest

from lt_lightning.report.cell import Grid
from lt_lightning.report.labels import labels
from lt_lightning.report.run import Run
from lt_lightning.report.setting import setting_of

CONFIG = {
    "seed_everything": 0,
    "trainer": {"max_epochs": 200, "devices": 1, "precision": "32-true"},
    "model": {
        "class_path": "lt_lightning.methods.ERM",
        "init_args": {
            "loss": {"class_path": "lt_lightning.losses.CrossEntropy", "init_args": {}},
            "optimizer": {"class_path": "torch.optim.SGD", "init_args": {"lr": 0.1}},
            "channels_last": True,
        },
    },
    "data": {
        "source": {"class_path": "lt_lightning.data.CIFAR10"},
        "root": "data",
        "batch_size": 128,
        "workers": 4,
        "sampler": {"class_path": "lt_lightning.samplers.InstanceBalanced"},
    },
}


def changed(path, value):
    """A copy of CONFIG with one value changed, by its dotted path."""
    import copy

    config = copy.deepcopy(CONFIG)
    inner = config
    *keys, last = path.split("/")
    for key in keys:
        inner = inner[key]
    inner[last] = value
    return config


def settings(write, results, *configs):
    found = []
    for place, config in enumerate(configs):
        run = Run.read(write(f"name{place}/0", results(), config=config))
        found.append(setting_of(run))
    return found


def test_seed_hardware_and_data_make_no_other_method(write, results):
    found = settings(
        write,
        results,
        CONFIG,
        changed("seed_everything", 7),
        changed("trainer/devices", 8),
        changed("trainer/precision", "bf16-mixed"),
        changed("data/root", "/elsewhere"),
        changed("data/workers", 0),
        changed("data/source", {"class_path": "lt_lightning.data.CIFAR100"}),
        changed("model/init_args/channels_last", False),
        changed("model/init_args/an_option_of_a_later_version", None),
    )
    assert len(set(found)) == 1


def test_whatever_trains_otherwise_makes_another_method(write, results):
    found = settings(
        write,
        results,
        CONFIG,
        changed("trainer/max_epochs", 100),
        changed("model/init_args/optimizer/init_args/lr", 0.2),
        changed("model/init_args/loss/class_path", "lt_lightning.losses.LDAM"),
        changed("data/batch_size", 64),
        changed("data/sampler", {"class_path": "lt_lightning.samplers.Reversed"}),
    )
    assert len(set(found)) == 6


def test_where_a_folder_lies_makes_no_other_method_and_its_name_does(write, results):
    paths = (None, "/a/extra", "/b/extra/", "/b/other")
    found = settings(write, results, *(changed("data/added_images", path) for path in paths))
    assert found[0] != found[1] == found[2] != found[3]


@pytest.mark.parametrize("option", ["backbone_init", "stage1_ckpt", "teacher"])
def test_the_name_of_the_run_it_began_with_makes_a_method_and_its_version_does_not(
    write, results, option
):
    key, file = f"model/init_args/{option}", "checkpoints/last.ckpt"
    paths = (None, *(f"{run}/{file}" for run in ("runs/a/0", "/x/a/1", "runs/b/0")))
    found = settings(write, results, *(changed(key, path) for path in paths))
    assert found[1] == found[2]
    assert len(set(found)) == 3


def test_second_stages_of_two_runs_are_two_rows_also_without_their_configs(write, results):
    """Trap: cRT after cross-entropy and cRT after mixup, of one seed, were taken for one."""
    words = "lt fit --config configs/crt.yaml --model.stage1_ckpt"
    folders = [
        write(f"{k}/0", results(command=[*words.split(), path]))
        for k, path in enumerate(
            (
                *("runs/ce/0", "runs/ce/1", "runs/ce", "s/ce/seed0", "s/ce/seed1"),
                *("runs/ce/slurm-17", "runs/ce/slurm-17_2-seed-2", "runs/ce/slurm-17-0f3a"),
                "runs/mixup/0",
            )
        )
    ]
    found = [setting_of(Run.read(folder)) for folder in folders]
    assert len(set(found[:-1])) == 1
    names = labels([(setting, "run") for setting in found])
    assert set(names.values()) == {"crt after ce", "crt after mixup"}


def test_a_method_alone_is_called_by_its_config_files(write, results):
    command = ["lt", "fit", "--config", "configs/bbn.yaml", "--config", "configs/data/digits.yaml",
               "--config=configs/trainer/quick.yaml", "--config", "mine/wide.yaml"]  # fmt: skip
    run = Run.read(write("a/0", results(command=command)))
    assert setting_of(run).base == "bbn-wide"


def test_without_a_config_file_the_class_names_the_method(write, results):
    run = Run.read(write("a/0", results(command=["lt", "fit", "--model", "ERM"])))
    assert setting_of(run).base == "ERM"


def test_a_run_started_again_from_its_folder_is_called_like_it(write, results):
    command = ["lt", "fit", "--config", "runs/bbn/0/config.yaml"]
    run = Run.read(write("bbn-again/0", results(command=command)))
    assert setting_of(run).base == "bbn-again"


def test_a_run_of_which_only_the_test_is_recorded_is_called_like_its_folder(write, results):
    run = Run.read(write("bbn-long/0", results(command=["lt", "test", "runs/bbn-long/0"])))
    assert setting_of(run).base == "bbn-long"


def test_labels_tell_few_differences(write, results):
    first, second = settings(
        write, results, CONFIG, changed("model/init_args/optimizer/init_args/lr", 0.2)
    )
    found = labels([(first, "a"), (second, "b")])
    assert found == {first: "ce, lr 0.1", second: "ce, lr 0.2"}


def test_labels_of_many_differences_are_the_names_of_the_runs(write, results):
    other = changed("model/init_args/optimizer/init_args/lr", 0.2)
    other["trainer"]["max_epochs"] = 30
    other["data"]["batch_size"] = 64
    first, second = settings(write, results, CONFIG, other)
    found = labels([(first, "long"), (second, "short")])
    assert found == {first: "ce, long", second: "ce, short"}
    found = labels([(first, "ce-long"), (second, "ce-short")])
    assert found == {first: "ce-long", second: "ce-short"}
    found = labels([(first, "same"), (second, "same")])
    assert found == {first: "ce, same #1", second: "ce, same #2"}


def test_without_config_yaml_the_command_line_tells_methods_apart(write, results):
    base = ["lt", "fit", "--config", "configs/ce.yaml", "--seed_everything"]
    runs = [
        write("a/0", results(command=[*base, "1"], seed=1)),
        write("a/1", results(command=[*base, "2", "--data.root", "/x"], seed=2)),
        write("a/2", results(command=[*base, "3", "--model.loss", "LDAM"], seed=3)),
        write("a/3", results(command=[*base, "4"], seed=4, epochs=30)),
    ]
    grid = Grid.of([Run.read(folder) for folder in runs])
    sizes = sorted(len(cell.entries) for cell in grid.cells.values())
    assert sizes == [1, 1, 2]


def test_negative_values_are_no_options(write, results):
    command = ["lt", "fit", "--config", "configs/ce.yaml", "--trainer.max_steps", "-1"]
    assert setting_of(Run.read(write("a/0", results(command=command)))).changed == (
        "trainer.max_steps",
    )


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("trainer/limit_train_batches", 1),
        ("trainer/overfit_batches", 2),
        ("trainer/gradient_clip_algorithm", "value"),
        ("trainer/callbacks", [{"class_path": "lightning.pytorch.callbacks.EMAWeightAveraging"}]),
        ("data/normalize", {"class_path": "lt_lightning.augment.Normalize"}),
        ("data/source/init_args", {"image_size": 64}),
    ],
)
def test_what_changes_the_weights_is_no_repetition(write, results, path, value):
    """Trap: three such runs were "n=3" of one row, and a fourth of the same seed was dropped."""
    assert len(set(settings(write, results, CONFIG, changed(path, value)))) == 2


def test_two_packages_may_have_a_class_of_one_name(write, results):
    """Trap: two losses of two modules were two seeds of one row."""
    key = "model/init_args/loss/class_path"
    mine, yours = (changed(key, f"{module}.loss.MyLoss") for module in ("exp1", "exp2"))
    first, other, again = settings(write, results, mine, yours, mine)
    assert first == again != other


def test_callbacks_that_look_on_make_no_other_method(write, results):
    looks = [{"class_path": "lightning.pytorch.callbacks.LearningRateMonitor"}]
    assert len(set(settings(write, results, CONFIG, changed("trainer/callbacks", looks)))) == 1


def test_a_run_that_was_cut_is_a_row_of_its_own_that_says_so(write, cifar):
    """Trap: five epochs of thirty were averaged with thirty of thirty."""
    runs = []
    for seed, (epochs, planned) in enumerate([(30, 30), (5, 30), (30, None)]):
        content = cifar(seed=seed)
        content["training"] |= {"epochs": epochs, "planned_epochs": planned}
        runs.append(Run.read(write(f"ce{seed}/0", content)))
    grid = Grid.of(runs)
    (data,) = grid.data_labels
    cells = {cell.method: cell for cell in grid.column(data)}
    assert {name: len(cell.entries) for name, cell in cells.items()} == {"ce": 2, "ce, cut": 1}
    assert cells["ce, cut"].notes == ["cut"]
    assert cells["ce"].notes == []
