"""What weights have behind them goes on from checkpoint to checkpoint, and is never lost."""

import json

import pytest
import torch
import yaml
from minimal_results import minimal

from lt_lightning.errors import UserError
from lt_lightning.runs.checkpoint import RECORD
from lt_lightning.runs.past import Past, choice, keep_choice, past_of, past_of_weights

BEST = choice("val/acc_macro", True)
SOUND = {
    "state_dict": {"head.weight": torch.ones(2, 2)},
    "hyper_parameters": {"_class_path": "lt_lightning.methods.ERM", "class_counts": [3, 1]},
    "epoch": 0,
    "global_step": 2,
    "pytorch-lightning_version": "2.6.0",
}


def of_earlier(folder, stem="last", flags=None, **config):
    """Write the run of a version that kept nothing in its checkpoints, and return one of these."""
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    if flags:
        (folder / "results.json").write_text(json.dumps({**minimal(), "flags": flags}))
    file = folder / "checkpoints" / f"{stem}.ckpt"
    torch.save(SOUND, file)
    return file


def test_it_goes_on_over_any_number_of_runs():
    begun = Past().after(Past(test_seen=True, oracle=True, chosen_by=BEST))
    assert begun == Past(True, True, "", BEST)
    assert Past().after(Past().after(begun)) == begun
    held_out = Past().after(Past(chosen_by=choice("val/acc_macro", False)))
    assert held_out == Past()
    assert Past(chosen_by=BEST).after(begun).chosen_by == BEST  # its own stays


def test_a_checkpoint_keeps_it():
    checkpoint = {}
    keep_choice(checkpoint, BEST)
    Past(test_seen=True, built_on=BEST).keep(checkpoint)
    assert past_of(checkpoint) == Past(True, False, BEST, BEST)
    assert past_of({}) is None
    assert past_of({RECORD: {}}) is None


@pytest.mark.parametrize(("stem", "chosen"), [("last", ""), ("best", BEST)])
def test_of_an_earlier_version_the_config_tells(tmp_path, stem, chosen):
    told = {"data": {"monitor_test": True}, "checkpoint": {"monitor": "val/acc_macro"}}
    file = of_earlier(tmp_path / "0", stem, **told)
    assert past_of(SOUND, file) == Past(True, chosen_by=chosen)
    (tmp_path / "1").mkdir()
    assert past_of(SOUND, file.rename(tmp_path / "1" / "x.ckpt")) is None


def test_of_an_earlier_version_a_config_that_went_on_tells(tmp_path):
    file = of_earlier(tmp_path, data={"monitor_test": False})
    assert past_of(SOUND, file) == Past()
    (tmp_path / "config-resumed-1.yaml").write_text("data: {monitor_test: true}")
    assert past_of(SOUND, file) == Past(test_seen=True)


def test_of_an_earlier_version_the_results_tell(tmp_path):
    file = of_earlier(tmp_path, flags={"test_seen_during_training": True, "oracle": True})
    assert past_of(SOUND, file) == Past(True, True)
    assert past_of({**SOUND, "lt_stage": 2}, file) == Past(True, True)
    assert past_of({**SOUND, "lt_stage": 1}, file) == Past(True, False)  # it saw no more by then


@pytest.mark.parametrize("name", ["backbone_init", "stage1_ckpt", "teacher"])
def test_of_an_earlier_version_the_runs_before_it_tell(tmp_path, name):
    first = of_earlier(tmp_path / "a", "best", data={"monitor_test": True})
    before = str(first)
    for folder in "bc":
        before = str(of_earlier(tmp_path / folder, model={"init_args": {name: before}}))
    assert past_of(SOUND, before) == Past(True, built_on=choice(None, True))


def test_of_an_earlier_version_its_pretraining_tells(tmp_path):
    of_earlier(tmp_path / "0" / "pretrain", data={"monitor_test": True})
    assert past_of(SOUND, of_earlier(tmp_path / "0" / "x")) == Past()
    (tmp_path / "0" / "checkpoints").mkdir()
    (tmp_path / "0" / "config.yaml").write_text("{}")
    assert past_of(SOUND, tmp_path / "0" / "checkpoints" / "last.ckpt") == Past(test_seen=True)


@pytest.mark.parametrize("past", [Past(), Past(True, True, BEST), Past(True, built_on=BEST)])
def test_the_header_of_exported_weights_tells_all_of_it(past):
    (text,) = past.in_header().values()
    assert past_of({RECORD: json.loads(text)}) == past


@pytest.mark.parametrize(
    ("header", "found"),
    [(Past(True, built_on=BEST).in_header(), Past(True, built_on=BEST)), (None, None)],
)
def test_exported_weights_carry_it(tmp_path, header, found):
    save = pytest.importorskip("safetensors.torch").save_file
    save({"w": torch.ones(2)}, tmp_path / "w.safetensors", metadata=header)
    assert past_of_weights(str(tmp_path / "w.safetensors")) == found


def test_a_header_of_others_is_refused(tmp_path):
    save = pytest.importorskip("safetensors.torch").save_file
    for text in ("{", "3", '{"test_seen_during_training": true}'):
        save({"w": torch.ones(2)}, tmp_path / "w.safetensors", metadata={RECORD: text})
        with pytest.raises(UserError, match="is damaged: export the run again"):
            past_of_weights(str(tmp_path / "w.safetensors"))


def test_a_config_that_names_its_own_run_is_not_endless(tmp_path):
    own = tmp_path / "checkpoints" / "last.ckpt"
    file = of_earlier(tmp_path, model={"init_args": {"teacher": str(own)}}, data=3)
    assert past_of(SOUND, file) == Past()
