"""Two processes label the unlabelled images as one does."""

import pytest
from lt_runs import assert_same, checkpoint, results, run, tiny

pytestmark = pytest.mark.distributed
TWO = ("--trainer.devices", "2", "--trainer.strategy", "ddp")
SHORT = ("--trainer.max_epochs", "1", "--model.lr_schedule.warmup_epochs", "0")


def test_two_processes_have_the_labels_of_one(tmp_path):
    first = run(tiny("ce", *SHORT, "--name", "teacher"), tmp_path)
    assert first.status == 0, first.err
    found = []
    for name, more in (("one", ()), ("two", TWO)):
        given = ("--model.teacher", "runs/teacher/0", "--data.eval_batch_size", "60")
        answer = run(tiny("pseudo_label", *SHORT, *given, "--name", name, *more), tmp_path)
        assert answer.status == 0, answer.err
        assert answer.err.count("unlabelled images,") == 1
        folder = tmp_path / "runs" / name / "0"
        found.append((checkpoint(folder)["lt_pseudo_labels"], results(folder)["data"]))
    (one, about_one), (two, about_two) = found
    assert_same(one, two)
    assert about_one["unlabelled"] == about_two["unlabelled"]
    assert about_one["unlabelled"]["images"] == len(one["labels"]) > 0
