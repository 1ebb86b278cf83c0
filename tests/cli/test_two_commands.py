"""Stage 2 by a command of its own, from a finished run."""

import json
from pathlib import Path

import pytest


@pytest.fixture
def second(lt, place):
    """Return a function that runs stage 2 on the finished run, with more options."""

    def call(more=""):
        stage2 = f"--model.stage1_ckpt {place['run']} --model.stage2_epochs 1"
        quick = place["quick"].replace("--trainer.max_epochs 1", stage2)
        crt = quick.replace("--model ERM", f"--config {place['configs']}/crt.yaml")
        line = f"fit {crt} --data.holdout.fraction 0.1 --name second {more}"
        answer = lt(line)
        assert answer.status == 0, answer.err
        results = Path("runs/second/0/results.json").read_text(encoding="utf-8")
        return answer, json.loads(results)["evaluations"]

    return call


def test_the_run_that_stage_2_began_with_is_tested_beside_it(second, place):
    answer, found = second()
    assert "stage 2 of 2: epochs 1 to 1" in answer.err
    assert "epoch 1/1, stage 2" in answer.err
    assert "took all 42 tensors of the backbone and all 2 of the classifier" in answer.err
    first = json.loads((Path(place["run"]) / "results.json").read_text(encoding="utf-8"))
    before, after = found["stage1"], found["last"]
    assert before["overall"] == first["evaluations"]["last"]["overall"]
    assert before["checkpoint"]["path"].endswith("held/0/checkpoints/last.ckpt")
    assert before["checkpoint"]["chosen_by"] == "end of stage 1"
    assert after["overall"] != before["overall"]


@pytest.mark.slow
def test_another_classifier_is_not_tested(second):
    answer, found = second("--model.head CosineHead")
    assert "of the backbone and none of the classifier" in answer.err
    assert set(found) == {"last", "best"}
