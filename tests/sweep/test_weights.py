"""Weights that were deleted when their run was done: nobody is sent to take them over."""

import json
from pathlib import Path

import pytest
from minimal_results import minimal

from lt_lightning.errors import UserError
from lt_lightning.runs.results import write_results
from lt_lightning.sweep.job import Job
from lt_lightning.sweep.weights import are_gone, check_tests

_TEST = Job("ce", "seed0", (), needs="ce/seed0", post_hoc="NearestMean")


def _touch(folder: Path, *checkpoints: str) -> None:
    for checkpoint in checkpoints:
        file = folder / f"{checkpoint}.ckpt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


def test_weights_are_gone_when_there_are_results_alone(tmp_path: Path) -> None:
    assert not are_gone(tmp_path, "", "last")  # it has not begun
    write_results(tmp_path, minimal())
    _touch(tmp_path, "checkpoints/last")
    found = {part: are_gone(tmp_path, *part) for part in (("", "last"), ("", "stage1"))}
    assert found == {("", "last"): False, ("", "stage1"): True}
    assert are_gone(tmp_path, "pretrain", "last")
    _touch(tmp_path, "pretrain/checkpoints/last")
    assert not are_gone(tmp_path, "pretrain", "last")


def test_a_test_of_weights_that_are_gone_is_refused_before_anything_runs(tmp_path: Path) -> None:
    """Trap: the run counted as done, and its test failed each time that it was tried again."""
    folder = tmp_path / "ce" / "seed0"
    check_tests([_TEST], tmp_path)
    folder.mkdir(parents=True)
    write_results(folder, minimal())
    with pytest.raises(UserError, match=r"whose last\.ckpt is gone: put it back, leave out that"):
        check_tests([_TEST], tmp_path)
    content = minimal()
    (one,) = content["evaluations"].values()
    command = ["lt", "test", str(folder), "--post_hoc", "NearestMean"]
    content["evaluations"]["last+nearest_mean"] = {**one, "command": command}
    (folder / "results.json").write_text(json.dumps(content), encoding="utf-8")
    check_tests([_TEST], tmp_path)  # it was done before
