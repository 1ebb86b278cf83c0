"""Options of the trainer that fit their type and cannot be meant."""

import re
from datetime import timedelta

import pytest
from jsonargparse import Namespace

from lt_lightning.cli.trainer_checks import check_trainer
from lt_lightning.cli.words.errors import explain
from lt_lightning.cli.words.parser import LTParser
from lt_lightning.errors import Refused

SOUND = {
    "max_epochs": 3,
    "accelerator": "cpu",
    "strategy": "auto",
    "devices": "auto",
    "precision": None,
}


def check(**options):
    check_trainer(Namespace(**{**SOUND, **options}), "fit")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_epochs", 0),
        ("max_epochs", -1),
        ("max_epochs", None),
        ("min_epochs", -1),
        ("max_steps", 0),
        ("max_steps", -2),
        ("min_steps", -1),
        ("num_nodes", 0),
        ("max_time", "00:00:00:00"),
        ("max_time", "soon"),
        ("max_time", timedelta(0)),
        ("max_time", {"hours": -1}),
        ("max_time", {"hours": 10**20}),
        ("limit_train_batches", 0),
        ("limit_train_batches", 0.0),
        ("limit_train_batches", 1.5),
        ("limit_train_batches", -0.5),
        ("limit_val_batches", -1),
        ("limit_test_batches", 0),
        ("limit_test_batches", 0.0),
        ("limit_predict_batches", 0),
        ("overfit_batches", -1),
        ("val_check_interval", 0),
        ("val_check_interval", 0.0),
        ("val_check_interval", "00:00:00:00"),
        ("check_val_every_n_epoch", 0),
        ("num_sanity_val_steps", -2),
        ("log_every_n_steps", -1),
        ("accumulate_grad_batches", 0),
        ("accumulate_grad_batches", -4),
        ("gradient_clip_val", -1),
        ("gradient_clip_val", -0.5),
        ("gradient_clip_val", float("nan")),
        ("gradient_clip_val", float("inf")),
        ("reload_dataloaders_every_n_epochs", -1),
        ("fast_dev_run", -1),
    ],
)
def test_a_number_that_cannot_be_meant_is_refused_by_name(name, value):
    with pytest.raises(Refused) as refused:
        check(**{name: value})
    assert refused.value.key == f"trainer.{name}"
    assert refused.value.sentence.startswith(f"trainer.{name} is ")
    assert "give" in refused.value.sentence


def test_numbers_with_a_meaning_are_taken():
    check(
        max_steps=-1,
        min_epochs=0,
        max_time="00:12:00:00",
        limit_train_batches=0.5,
        limit_val_batches=0,
        limit_test_batches=1.0,
        overfit_batches=0.0,
        val_check_interval=0.25,
        num_sanity_val_steps=-1,
        log_every_n_steps=0,
        gradient_clip_val=0,
        fast_dev_run=True,
        check_val_every_n_epoch=None,
    )
    check(max_steps=5, max_time={"minutes": 5}, limit_test_batches=1, gradient_clip_val=0.5)


REFUSED = ("BatchSizeFinder", "GradientAccumulationScheduler", "LearningRateFinder")
REFUSED += ("OnExceptionCheckpoint", "StochasticWeightAveraging", "Timer")


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("several", [False, True])
def test_callbacks_that_a_run_cannot_have_are_refused(name, several):
    given = Namespace(class_path=f"lightning.pytorch.callbacks.{name}")
    with pytest.raises(Refused) as refused:
        check(callbacks=[given] if several else given)
    assert name in refused.value.sentence


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("[enforce fail] err == 0. DefaultCPUAllocator: can't allocate memory: 4 GB"),
        RuntimeError("Storage size calculation overflowed with sizes=[9999999999999]"),
        MemoryError(),
    ],
)
def test_a_machine_without_memory_is_told_in_one_sentence(error):
    assert "memory of this machine is too small" in explain(error)
    outer = ValueError("Does not validate against any of the Union subtypes")
    outer.__cause__ = error  # so jsonargparse tells of a class that could not be built
    assert "memory of this machine is too small" in explain(outer)


def test_a_whole_number_is_a_count_whatever_was_imported_before():
    parser = LTParser()
    parser.add_argument("--batches", type=float | int | None)
    parser.counts_before_shares()
    for text, wanted in (("1", 1), ("1.0", 1.0), ("0.5", 0.5), ("null", None)):
        found = parser.parse_args([f"--batches={text}"]).batches
        assert (found, type(found)) == (wanted, type(wanted))


@pytest.mark.parametrize("strategy", ["fsdp", "fsdp_cpu_offload", "FSDPStrategy"])
def test_the_older_shards_are_refused_with_the_hint_to_the_newer(strategy):
    given = strategy if strategy.islower() else Namespace(class_path=f"some.{strategy}")
    with pytest.raises(Refused) as refused:
        check(strategy=given)
    assert refused.value.sentence.startswith(f"trainer.strategy has {strategy}: ")
    assert "ModelParallelStrategy (configs/trainer/sharded.yaml)" in refused.value.sentence


def _sharded(**options):
    defaults = {
        "data_parallel_size": "auto",
        "tensor_parallel_size": "auto",
        "save_distributed_checkpoint": False,
    }
    path = "lightning.pytorch.strategies.ModelParallelStrategy"
    return Namespace(class_path=path, init_args=Namespace(**{**defaults, **options}))


def test_weights_are_sharded_over_all_processes():
    strategy = _sharded()
    check(strategy=strategy, devices=2)
    assert strategy.init_args.data_parallel_size == 2
    assert strategy.init_args.tensor_parallel_size == 1
    check(strategy=_sharded(data_parallel_size=2), devices=2)


@pytest.mark.parametrize(
    ("options", "precision", "sentence"),
    [
        ({"save_distributed_checkpoint": True}, None, "save_distributed_checkpoint false"),
        ({"data_parallel_size": 1}, None, "data_parallel_size is 1 on 2 processes: leave it out"),
        ({"tensor_parallel_size": 2}, None, "tensor_parallel_size is 2 on 2 processes"),
        ({}, "64-true", "precision is '64-true', .* give 32-true or bf16-mixed"),
    ],
)
def test_shards_that_no_run_can_have_are_refused(options, precision, sentence):
    with pytest.raises(Refused) as refused:
        check(strategy=_sharded(**options), devices=2, precision=precision)
    assert re.search(sentence, refused.value.sentence)
