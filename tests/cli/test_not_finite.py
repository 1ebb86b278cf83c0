"""Weights that are NaN or infinite are refused wherever a checkpoint is read."""

import math

import pytest
import torch

FIT = "fit {quick} --data.holdout.fraction 0.1 --name other"
LINES = {
    "test": "test {file}",
    "validate": "validate {file}",
    "predict": "predict {file} --images {flat} --out x.csv",
    "calibrate": "calibrate {file}",
    "cam": "cam {file} --out made",
    "report": "report {copy} --features",
    "resume": FIT.replace(" --name other", "") + " --ckpt_path {file}",
    "backbone_init": FIT + " --model.backbone_init {file}",
    "teacher": FIT + " --model PseudoLabel --model.teacher {file} --data.unlabelled LeftOver "
    "--data.profile Exponential --data.profile.imbalance_ratio 10",
    "stage1_ckpt": "fit --config {configs}/crt.yaml {crt} --model.stage1_ckpt {file} --name other",
}


# One command on a run, and one of each way to begin with the weights of another.
QUICK = {"predict", "resume", "backbone_init", "stage1_ckpt"}


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(line, id=name, marks=[] if name in QUICK else pytest.mark.slow)
        for name, line in LINES.items()
    ],
)
def test_a_weight(lt, place, line, snapshot, tmp_path):
    def spoil(content):
        content["state_dict"]["backbone.stem.0.weight"][0] = math.nan

    refused_because_of("backbone.stem.0.weight", spoil, lt, place, line, snapshot, tmp_path)


def test_a_buffer(lt, place, snapshot, tmp_path):
    def spoil(content):
        name = next(name for name in content["state_dict"] if name.endswith("running_var"))
        content["state_dict"][name][0] = math.inf

    refused_because_of("running_var", spoil, lt, place, LINES["predict"], snapshot, tmp_path)


def test_what_is_infinite_as_float32(lt, place, snapshot, tmp_path):
    def spoil(content):
        wide = content["state_dict"]["head.weight"].double()
        content["state_dict"]["head.weight"] = torch.where(wide == wide.max(), 1e300, wide)

    refused_because_of("head.weight", spoil, lt, place, LINES["test"], snapshot, tmp_path)


def refused_because_of(name, spoil, lt, place, line, snapshot, tmp_path):
    place["file"] = str(place.change_checkpoint(spoil))
    place["crt"] = place["quick"].replace("--model ERM", "").replace("--trainer.max_epochs 1", "")
    line = line.format_map(place)
    before = snapshot(tmp_path)

    answer = lt(line)

    assert answer.status == 1, answer.err
    assert "holds NaN or infinity in" in answer.err
    assert name in answer.err
    assert "Traceback" not in answer.err
    assert snapshot(tmp_path) == before
