"""What Lightning and its command line would silently do otherwise; one test a trap."""

import csv
import inspect
import json
import os
from pathlib import Path

import lightning as L
import pytest
import torch
import yaml
from lightning.pytorch.cli import LightningCLI

from lt_lightning.data import LongTailDataModule
from lt_lightning.engine.hyper_parameters import is_plain


def _saved(run: Path) -> dict:
    return yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8"))


def test_the_config_wins_over_the_checkpoint(lt, place):
    """LightningCLI merges the checkpoint's hyper-parameters over config and command line.

    With `--model BBN --ckpt_path erm.ckpt` it trains ERM, and a learning rate that is given on
    resuming is ignored. Here nothing is merged, so the difference is seen and refused.
    """
    # Lightning looks into a file; a run's folder, or `last`, it would leave alone.
    file = f"{place['copy']}/checkpoints/last.ckpt"
    method = lt(f"fit --config {place['configs']}/bbn.yaml --ckpt_path {file}")
    rate = lt(f"fit {place['quick']} --ckpt_path {file} --model.backbone.depth 14")

    assert "holds ERM but the config asks for BBN" in method.err
    assert "model.backbone.depth 8 but the config has 14" in rate.err


def test_a_resumed_run_takes_the_options_of_the_command_line(lt, place):
    """The same trap for the trainer's options and the data's: those given now hold."""
    copy = Path(place["copy"])

    answer = lt(
        f"fit {place['quick']} --data.holdout.fraction 0.1 --ckpt_path {copy} "
        "--trainer.max_epochs 2 --data.eval_batch_size 77 --model.compile false"
    )

    assert answer.status == 0, answer.err
    saved = yaml.safe_load((copy / "config-resumed-1.yaml").read_text(encoding="utf-8"))
    assert saved["trainer"]["max_epochs"] == 2
    assert saved["data"]["eval_batch_size"] == 77
    assert "epoch 2/2" in answer.err
    assert "epoch 1/2" not in answer.err


def test_no_checkpoint_is_loaded_with_its_code(lt, place, monkeypatch):
    """torch.load without weights_only=True runs what a pickle holds; for URLs it is the default."""
    asked, load = [], torch.load

    def watch(*args, **kwargs):
        asked.append(kwargs.get("weights_only"))
        return load(*args, **kwargs)

    monkeypatch.setattr("torch.load", watch)
    flat, copy = place["flat"], place["copy"]

    assert lt(f"test {copy}").status == 0
    assert lt(f"predict {copy} --images {flat} --out x.csv").status == 0
    longer = "--data.holdout.fraction 0.1 --trainer.max_epochs 2"
    assert lt(f"fit {place['quick']} {longer} --ckpt_path {copy}").status == 0

    assert len(asked) >= 5
    assert set(asked) <= {True, None}, "none is torch's own default, which is safe from 2.6 on"


def test_half_precision_on_a_cpu_is_refused(lt, place):
    """Lightning turns 16-mixed on a CPU into bf16-mixed with no more than a warning."""
    answer = lt(f"fit {place['quick']} --trainer.precision 16-mixed")

    assert answer.status == 2
    assert "needs a GPU: give bf16-mixed" in answer.err


def test_the_number_of_steps_is_not_asked_of_lightning(lt, place, monkeypatch):
    """estimated_stepping_batches in configure_optimizers loses the loaders' state on resuming."""

    def fail(trainer):
        raise AssertionError("estimated_stepping_batches was read")

    monkeypatch.setattr(L.Trainer, "estimated_stepping_batches", property(fail))

    answer = lt(f"fit {place['quick']} --trainer.fast_dev_run true")

    assert answer.status == 0, answer.err


def test_a_key_is_not_taken_for_a_longer_one(lt, place):
    """argparse takes --trainer.max_epoch for --trainer.max_epochs."""
    answer = lt(f"fit {place['quick']} --trainer.max_epoch 3 --trainer.fast_dev_run true")

    assert answer.status == 2
    assert "'trainer.max_epoch': did you mean 'trainer.max_epochs'?" in answer.err


@pytest.mark.parametrize(
    "value",
    [
        "class_counts [3,2]",
        pytest.param("class_names [a,b]", marks=pytest.mark.slow),
        pytest.param("groups '{many: [0]}'", marks=pytest.mark.slow),
    ],
)
def test_what_comes_from_the_data_cannot_be_given(lt, place, value):
    """A value given for the target of a link is overridden without a word."""
    answer = lt(f"fit {place['quick']} --model.{value} --trainer.fast_dev_run true")

    assert answer.status == 2
    assert "comes from the data" in answer.err


def test_the_links_read_the_data_right_after_construction():
    """Links are applied before any setup(); what they read must be there by then."""
    data = LongTailDataModule()

    assert data.num_classes == 10
    assert int(data.class_counts[0]) == 119
    assert len(data.class_names) == 10
    assert set(data.groups) == {"many", "medium", "few"}


def test_a_mistake_is_not_buried_in_usage(lt, place):
    """jsonargparse prints 57 lines of usage around a message."""
    answer = lt(f"fit {place['quick']} --model.loss LDMA")

    assert answer.err.count("\n") == 1
    assert "usage" not in answer.err


def test_checkpoints_hold_plain_hyper_parameters(finished):
    """One numpy scalar among them, and torch.load refuses the file with weights_only=True."""
    for name in ("last.ckpt", "best.ckpt"):
        content = torch.load(finished / "checkpoints" / name, weights_only=True)
        assert is_plain(dict(content["hyper_parameters"]))
        assert content["hyper_parameters"]["class_counts"][0] > 100


def test_the_saved_config_starts_the_same_run_again(lt, finished):
    """Linked keys are absent from it, and Lightning's own callback refuses an old config.yaml."""
    answer = lt(f"fit --config {finished}/config.yaml --trainer.fast_dev_run true")

    assert answer.status == 0, answer.err
    assert "class_counts" not in _saved(finished)["model"]["init_args"]


def test_environment_variables_change_no_option(lt, place, monkeypatch):
    """LightningCLI can read PL_FIT__TRAINER__MAX_EPOCHS and the like, which no record shows."""
    for prefix in ("PL", "LT"):
        monkeypatch.setenv(f"{prefix}_FIT__TRAINER__MAX_EPOCHS", "0")
        monkeypatch.setenv(f"{prefix}_TRAINER__MAX_EPOCHS", "0")

    answer = lt(f"fit {place['quick'].replace('--trainer.max_epochs 1', '')} --print_config")

    assert answer.status == 0, answer.err
    assert yaml.safe_load(answer.out)["trainer"]["max_epochs"] is None


def test_a_run_writes_into_its_folder_only(finished):
    """Lightning leaves lightning_logs/ and checkpoints/ in the working folder."""
    above = finished.parents[2]

    assert [path.name for path in above.iterdir()] == ["runs"]
    assert sorted(path.name for path in finished.iterdir()) == [
        "checkpoints",
        "command.json",
        "config.yaml",
        "metrics.csv",
        "results.json",
    ]


def test_metrics_keep_one_row_an_epoch_and_the_test_of_the_last_one(finished):
    """Lightning's CSVLogger splits an epoch over several rows, and a resumed run loses its own."""
    with (finished / "metrics.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    results = json.loads((finished / "results.json").read_text(encoding="utf-8"))

    trained = [row for row in rows if row["train/loss"]]
    tested = [row for row in rows if row["test/acc"]]
    assert len(trained) == 1
    assert trained[0]["val/acc_macro"]
    assert len(tested) == 1
    last = results["evaluations"]["last"]["overall"]
    assert float(tested[0]["test/nll"]) == pytest.approx(last["nll"], rel=1e-6)


def test_the_seed_is_fixed_and_kept(lt, place, finished):
    """LightningCLI's default is another random seed every time."""
    given = lt(f"fit {place['quick']} --seed_everything 7 --print_config")

    assert yaml.safe_load(given.out)["seed_everything"] == 7
    assert _saved(finished)["seed_everything"] == 0
    results = json.loads((finished / "results.json").read_text(encoding="utf-8"))
    assert results["seeds"]["training"] == 0


@pytest.mark.parametrize(
    ("owner", "name", "arguments"),
    [
        (LightningCLI, "_parse_ckpt_path", ["self"]),
        (LightningCLI, "_add_subcommands", ["self", "parser", "kwargs"]),
        (LightningCLI, "_get", ["self", "config", "key", "default"]),
        (LightningCLI, "_parser", ["self", "subcommand"]),
        (LightningCLI, "_run_subcommand", ["self", "subcommand"]),
    ],
)
def test_the_private_names_that_are_relied_on_are_there(owner, name, arguments):
    """A minor release of Lightning may rename them; then the override would do nothing."""
    assert list(inspect.signature(getattr(owner, name)).parameters) == arguments


def test_lightning_asks_for_the_commands_by_the_name_that_is_overridden():
    """The same for `subcommands`, which Lightning calls on the instance."""
    source = inspect.getsource(LightningCLI._add_subcommands)

    assert "self.subcommands()" in source
    assert "LOCAL_RANK" not in os.environ
