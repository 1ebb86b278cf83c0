"""What may differ between the config that a run began with and the one it goes on with."""

import copy

import pytest

from lt_lightning.errors import UserError
from lt_lightning.runs.fits import check_same, difference
from lt_lightning.runs.same_run import check_same_run

STOP = {"class_path": "lightning.pytorch.callbacks.EarlyStopping", "init_args": {"monitor": "x"}}
AVERAGE = {"class_path": "lightning.pytorch.callbacks.StochasticWeightAveraging"}
BEGAN = {
    "seed_everything": 0,
    "runs": "runs",
    "name": "ce",
    "version": None,
    "ckpt_path": None,
    "checkpoint": {"every_n_steps": None, "monitor": "val/acc_macro", "mode": "max"},
    "post_hoc": None,
    "pretrain": {"config": None, "options": None},
    "trainer": {
        "max_epochs": 3,
        "max_steps": -1,
        "precision": "32-true",
        "devices": "auto",
        "accelerator": "auto",
        "gradient_clip_val": None,
        "accumulate_grad_batches": 1,
        "limit_train_batches": None,
        "logger": None,
        "callbacks": None,
    },
    "model": {
        "class_path": "lt_lightning.methods.ERM",
        "init_args": {
            "channels_last": True,
            "loss": {"class_path": "lt_lightning.losses.LDAM", "init_args": {"scale": 30.0}},
            "optimizer": {"class_path": "torch.optim.SGD", "init_args": {"lr": 0.1}},
        },
    },
    "data": {
        "source": {"class_path": "lt_lightning.data.CIFAR10", "init_args": {"download": True}},
        "root": "data",
        "workers": 4,
        "eval_batch_size": 500,
        "batch_size": 128,
        "seed": None,
        "subset_seed": 0,
        "holdout": None,
        "drop_last": False,
        "profile": {"class_path": "lt_lightning.data.Exponential", "init_args": {"ratio": 100}},
        "sampler": {"class_path": "lt_lightning.samplers.InstanceBalanced"},
        "samplers": {"uniform": {"class_path": "lt_lightning.samplers.InstanceBalanced"}},
        "augment": {"class_path": "lt_lightning.augment.RandomCropFlip", "init_args": {"p": 4}},
    },
}


def changed(key, value):
    """Return the config with one option changed, given by its place in the file."""
    config = copy.deepcopy(BEGAN)
    *above, last = key.split(".")
    part = config
    for name in above:
        part = part[name]
    part[last] = value
    return config


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("seed_everything", 1, "seed_everything 0 but the config has 1"),
        ("data.sampler", {"class_path": "lt_lightning.samplers.Reversed"}, "data.sampler Inst"),
        ("data.samplers.more", {"class_path": "x.Y"}, "data.samplers.more"),
        ("data.samplers", None, "data.samplers"),
        ("data.batch_size", 64, "data.batch_size 128 but the config has 64"),
        ("data.augment", None, "RandomCropFlip but the config has null"),
        ("data.augment.init_args.p", 2, "data.augment.p 4"),
        ("data.profile.init_args.ratio", 10, "data.profile.ratio 100"),
        ("data.holdout", {"fraction": 0.1}, "data.holdout null"),
        ("data.seed", 3, "data.seed null"),
        ("data.subset_seed", 3, "data.subset_seed 0"),
        ("data.drop_last", True, "data.drop_last False"),
        ("model.class_path", "lt_lightning.methods.BBN", "model ERM but the config has BBN"),
        ("model.init_args.optimizer.init_args.lr", 0.2, "model.optimizer.lr 0.1"),
        ("model.init_args.loss.init_args.scale", 20.0, "model.loss.scale 30.0"),
        ("trainer.precision", "bf16-mixed", "trainer.precision 32-true"),
        ("trainer.gradient_clip_val", 1, "trainer.gradient_clip_val null"),
        ("trainer.accumulate_grad_batches", 2, "trainer.accumulate_grad_batches 1"),
        ("trainer.limit_train_batches", 5, "trainer.limit_train_batches null"),
        ("trainer.callbacks", [AVERAGE, STOP], "trainer.callbacks"),
        ("checkpoint.mode", "min", "checkpoint.mode max"),
    ],
)
def test_what_touches_the_weights_or_their_choice_is_refused_by_name(key, value, says):
    with pytest.raises(UserError, match="The run runs/ce/0 began with") as refused:
        check_same_run(BEGAN, changed(key, value), "runs/ce/0")
    assert says in str(refused.value)
    with pytest.raises(UserError):
        check_same_run(changed(key, value), BEGAN, "runs/ce/0")


@pytest.mark.parametrize("key", ["limit_train_batches", "overfit_batches", "val_check_interval"])
def test_one_batch_is_not_all_of_them(key):
    """Trap: 1 is equal to 1.0, so an epoch of one batch passed for a whole one."""
    one, whole = (changed(f"trainer.{key}", value) for value in (1, 1.0))
    for began, asked in ((one, whole), (whole, one)):
        with pytest.raises(UserError, match=f"began with trainer.{key} 1"):
            check_same_run(began, asked, "runs/ce/0")
    check_same_run(whole, whole, "runs/ce/0")
    lr = "model.init_args.optimizer.init_args.lr"
    check_same_run(changed(lr, 1), changed(lr, 1.0), "runs/ce/0")  # a file may write either


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("trainer.max_epochs", 30),
        ("trainer.max_steps", 7),
        ("trainer.devices", 8),
        ("trainer.accelerator", "gpu"),
        ("trainer.logger", {"class_path": "x.Y"}),
        ("trainer.callbacks", [STOP]),
        ("data.root", "/elsewhere"),
        ("data.workers", 0),
        ("data.eval_batch_size", 100),
        ("data.source.init_args.download", False),
        ("model.init_args.channels_last", False),
        ("checkpoint.every_n_steps", 100),
        ("name", "other"),
        ("version", "7"),
        ("ckpt_path", "last"),
        ("pretrain", {"config": "ssp.yaml", "options": None}),
        ("post_hoc", {"class_path": "x.Y"}),
        ("data.new_option_of_a_later_version", 3),
    ],
)
def test_place_speed_and_length_may_differ(key, value):
    check_same_run(BEGAN, changed(key, value), "runs/ce/0")
    check_same_run(changed(key, value), BEGAN, "runs/ce/0")


OLD = "/a/runs/sweep/ce/seed0/checkpoints/last.ckpt"


@pytest.mark.parametrize(
    ("path", "one"),
    [
        ("/b/moved/a/seed0/pretrain/checkpoints/last.ckpt", True),
        ("runs/s/a/seed0/pretrain", True),
        ("runs/s/b/seed0/pretrain", False),
        ("runs/s/b/seed0/pretrain/checkpoints/last.ckpt", False),
        ("runs/s/a/seed1/pretrain", False),
        ("runs/s/a/seed0", False),
        ("runs/s/a/seed0/checkpoints/last.ckpt", False),
        ("runs/s/a", False),
    ],
)
def test_a_pre_training_is_that_of_its_run(path, one):
    """Trap: the pre-trainings of all rows of a sweep were taken for one."""
    for own in ("runs/s/a/seed0/pretrain", "runs/s/a/seed0/pretrain/checkpoints/last.ckpt"):
        assert (difference(own, path, "model.backbone_init") is None) == one
        assert (difference(path, own, "model.backbone_init") is None) == one


@pytest.mark.parametrize("path", ["runs/pretrain", "/b/pretrain/0/checkpoints/last.ckpt"])
def test_a_run_may_be_called_like_a_pre_training(path):
    own = "runs/pretrain/0/checkpoints/last.ckpt"
    assert difference(own, path, "model.backbone_init") is None


@pytest.mark.parametrize("name", ["stage1_ckpt", "backbone_init", "teacher"])
@pytest.mark.parametrize(
    ("path", "one"),
    [
        ("/b/moved/ce/seed0/checkpoints/last.ckpt", True),
        ("runs/sweep/ce/seed0", True),  # it was deleted: its checkpoint is not found any more
        ("runs/sweep/ce", True),
        ("runs/sweep/mixup/seed0/checkpoints/last.ckpt", False),
        ("runs/sweep/ce/seed1/checkpoints/last.ckpt", False),
        ("runs/sweep/ce/seed0/checkpoints/best.ckpt", False),
        ("runs/sweep/mixup", False),
        (None, False),
    ],
)
def test_a_run_that_it_began_with_may_be_moved_and_is_no_other(name, path, one):
    began, asked = (changed(f"model.init_args.{name}", value) for value in (OLD, path))
    for have, want in ((began, asked), (asked, began)):
        if one:
            check_same_run(have, want, "runs/crt/0")
            check_same({"hyper_parameters": {name: OLD}}, "last.ckpt", {name: path})
        else:
            with pytest.raises(UserError, match=f"model.{name} "):
                check_same_run(have, want, "runs/crt/0")
            with pytest.raises(UserError, match=f"model.{name} "):
                check_same({"hyper_parameters": {name: OLD}}, "last.ckpt", {name: path})


def test_a_run_of_the_same_name_that_is_another_one_is_refused(tmp_path):
    """Trap: two sweeps have each their ce/seed0; what lies there says which one it is."""
    files = [tmp_path / sweep / "ce" / "seed0" / "checkpoints" / "last.ckpt" for sweep in "abc"]
    for file, text in zip(files, ("one", "two", "one"), strict=True):
        file.parent.mkdir(parents=True)
        file.write_text(text)
    first, other, copy = (changed("model.init_args.teacher", str(file)) for file in files)
    with pytest.raises(UserError, match=r"model\.teacher"):
        check_same_run(first, other, "runs/crt/0")
    check_same_run(first, copy, "runs/crt/0")
    files[0].unlink()
    check_same_run(first, other, "runs/crt/0")
