"""A pre-training and its run in one command: two runs, one after the other, in one folder."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from lt_lightning.callbacks import EpochLines
from lt_lightning.errors import UserError

RUN = Path("runs/both/0")


@pytest.fixture
def line(place):
    """Return the words of a run of 2 epochs after a pre-training of 2 epochs."""
    quick = place["quick"].replace("max_epochs 1", "max_epochs 2")
    more = "trainer.max_epochs=2 data.batch_size=64 model.lr_schedule.warmup_epochs=1"
    return (
        f"fit {quick} --data.batch_size 32 --data.augment.padding 1 --seed_everything 3 "
        f"--pretrain.config {place['configs']}/ssp_rotation.yaml --pretrain.options '{more}' "
    )


def _weights(run):
    return torch.load(Path(run) / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]


def _assert_same(first, second):
    first, second = _weights(first), _weights(second)
    assert first.keys() == second.keys()
    for key, value in first.items():
        assert torch.equal(value, second[key]), key


def _stop_at(monkeypatch, number):
    """Stop at the end of the epoch of this number, counted over both runs."""
    seen = []

    def stop(self, trainer, module):
        seen.append(None)
        if len(seen) == number:
            raise UserError("Stopped here: go on.")

    monkeypatch.setattr(EpochLines, "on_train_epoch_start", stop)


@pytest.mark.slow
def test_one_command_is_two(lt, place, line):
    both = lt(f"{line} --name both")
    assert both.status == 0, both.err
    assert both.out.count("nearest class mean") == 1
    quick = place["quick"].replace("--model ERM", "").replace("max_epochs 1", "max_epochs 2")
    first = lt(
        f"fit --config {place['configs']}/ssp_rotation.yaml {quick} --data.augment.padding 1 "
        "--seed_everything 3 --model.lr_schedule.warmup_epochs 1 --name first"
    )
    assert first.status == 0, first.err
    second = lt(f"{line} --model.backbone_init runs/first --name second")
    assert second.status == 0, second.err
    _assert_same(RUN / "pretrain", "runs/first/0")
    _assert_same(RUN, "runs/second/0")
    assert not Path("runs/second/0/pretrain").exists()
    _assert_told(*(json.loads((f / "results.json").read_text()) for f in (RUN / "pretrain", RUN)))
    shutil.rmtree(RUN / "pretrain")
    again = lt(f"test {RUN}")
    assert again.status == 0, again.err


def _assert_told(inner, outer):
    assert inner["method"].endswith("RotationSSP")
    assert inner["config"] == ["ssp_rotation.yaml"]
    assert outer["method"].endswith("ERM")
    assert inner["data"]["fingerprint"] == outer["data"]["fingerprint"]
    assert inner["flags"]["self_supervised"]
    assert not outer["flags"]["self_supervised"]
    assert inner["seeds"] == outer["seeds"]


@pytest.mark.slow
@pytest.mark.parametrize("epoch", [2, 4], ids=["in the pre-training", "in the run"])
def test_a_stopped_command_ends_with_the_same_weights(lt, line, monkeypatch, epoch):
    whole = lt(f"{line} --name whole")
    assert whole.status == 0, whole.err
    with monkeypatch.context() as patch:
        _stop_at(patch, epoch)
        cut = lt(f"{line} --name both")
    assert cut.status == 1
    rest = lt(f"{line} --name both --ckpt_path last")
    assert rest.status == 0, rest.err
    assert "starting anew" not in rest.err
    assert [run.name for run in RUN.parent.iterdir()] == ["0"]
    _assert_same(RUN / "pretrain", "runs/whole/0/pretrain")
    _assert_same(RUN, "runs/whole/0")


@pytest.mark.slow
def test_the_file_is_looked_for_beside_the_others(lt, place, tmp_path):
    answer = lt(
        f"fit --config {place['configs']}/ssp_uniform.yaml {place['quick']} "
        "--pretrain.options trainer.max_epochs=1 --trainer.fast_dev_run true"
    )
    assert answer.status == 0, answer.err
    assert f"pre-training by {place['configs']}/ssp_rotation.yaml" in answer.err


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("--pretrain.config own.yaml", "own.yaml has a pre-training of its own: run it first"),
        pytest.param(
            "--pretrain.config none.yaml",
            "The config file none.yaml does not exist",
            marks=pytest.mark.slow,
        ),
        ("--pretrain.options model.width=3", "width"),
        pytest.param(
            "--pretrain.options 'a=1 b'",
            "pretrain.options has 'b': give KEY=VALUE",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_bad_pre_training_is_refused_in_one_sentence(lt, line, more, sentence):
    Path("own.yaml").write_text("pretrain: {config: ssp_rotation.yaml}\n", encoding="utf-8")
    answer = lt(f"{line} --name both {more}")
    assert answer.status == 2
    assert sentence in answer.err.splitlines()[-1]
    assert "Traceback" not in answer.err
