"""Whether a run has been tested on the images that it is to be tested on."""

import copy
from pathlib import Path
from typing import Any

import pytest
from minimal_results import minimal

from lt_lightning.runs.finished import is_tested
from lt_lightning.runs.results import write_results

_PLAIN: dict[str, Any] = {
    "test_on": "test",
    "data": {"test_root": None},
    "trainer": {"limit_test_batches": None},
}
_HELD_OUT = {**_PLAIN, "test_on": "held_out"}
_PART = {**_PLAIN, "trainer": {"limit_test_batches": 1}}
_PHOTOS = {**_PLAIN, "data": {"test_root": "my/photos"}}


def _write(folder: Path, *checkpoints: str, **evaluations: dict[str, Any]) -> None:
    content = minimal()
    (one,) = content["evaluations"].values()
    content["data"]["test_fingerprint"] = "own"
    content["evaluations"] = {
        label: {**copy.deepcopy(one), **told} for label, told in evaluations.items()
    }
    write_results(folder, content)
    (folder / "checkpoints").mkdir()
    for name in checkpoints:
        (folder / "checkpoints" / f"{name}.ckpt").touch()


@pytest.mark.parametrize(
    ("label", "told", "fits"),
    [
        ("last", {}, [_PLAIN, _PART]),  # one batch may hold all
        ("last", {"test": {"fingerprint": "own"}}, [_PLAIN, _PART, _PHOTOS]),  # the same pictures
        ("last@held_out-other", {"test": {"fingerprint": "other"}}, [_HELD_OUT]),
        ("last@500_images", {"images": 500, "part_of_test": True}, [_PART]),
        ("last@photos-other", {"test": {"fingerprint": "other", "folder": "x"}}, [_PHOTOS]),
        ("last@bf16-mixed", {}, []),
        ("last+tau_norm_1", {}, []),
        ("stage1", {}, []),
    ],
)
def test_a_run_is_tested_on_the_images_that_are_asked_for(
    tmp_path: Path, label: str, told: dict[str, Any], fits: list[dict[str, Any]]
) -> None:
    """Trap: one on held-out images, on a part or on other pictures was never finished."""
    _write(tmp_path, "last", **{label: told})
    every = [_PLAIN, _HELD_OUT, _PART, _PHOTOS]
    assert [one for one in every if is_tested(tmp_path, one)] == fits
    assert is_tested(tmp_path, {}) == (_PLAIN in fits)  # where nobody knows


def test_the_best_checkpoint_is_not_tested_on_what_has_chosen_it(tmp_path: Path) -> None:
    held_out = {"test": {"fingerprint": "other"}}
    _write(tmp_path, "last", "best", **{"last": {}, "last@held_out-other": held_out})
    assert is_tested(tmp_path, _HELD_OUT)
    assert not is_tested(tmp_path, _PLAIN)


def test_a_change_counts_on_the_same_images_alone(tmp_path: Path) -> None:
    told, change = {"test": {"fingerprint": "other"}}, {"class": "TauNormalization"}
    own = {"last": {}, "last+tau_norm_1": {"post_hoc": change}}
    _write(tmp_path, "last", **own, **{"last@held_out-other": told})
    assert is_tested(tmp_path, _PLAIN, change)
    assert not is_tested(tmp_path, _HELD_OUT, change)
