"""What an evaluation is called, and which earlier one it replaces."""

from dataclasses import replace

import pytest

from lt_lightning.runs.evaluations import (
    Conditions,
    merge,
    on_other_images,
    parts,
    without_digest,
)
from lt_lightning.runs.evaluations import under_own_conditions as on_own

OWN = Conditions("f" * 16, "f" * 16, None, 596, False, "32-true")
BF16 = {"precision": "bf16-mixed"}


@pytest.mark.parametrize(
    ("change", "suffix"),
    [
        ({}, ""),
        ({"own": None}, ""),
        ({"folder": "a/photos"}, ""),
        ({"fingerprint": "0123456789abcdef"}, "@01234567"),
        ({"fingerprint": "0123456789abcdef", "folder": "a/my photos@1"}, "@my_photos_1-01234567"),
        ({"fingerprint": "0123456789abcdef", "folder": "a/猫", "own": ""}, "@_-01234567"),
        ({"fingerprint": "0123456789abcdef", "held_out": True}, "@held_out-01234567"),
        ({"images": 500, "part": True}, "@500_images"),
        ({"images": 5, "part": True, "precision": "16-mixed"}, "@5_images,16-mixed"),
    ],
)
def test_conditions_of_the_own_test_need_no_name(change, suffix):
    assert replace(OWN, **change).suffix == suffix
    assert parts(f"best+tau_norm_1{suffix}") == ("best", "tau_norm_1", suffix[1:])


def evaluation(images=596, **more):
    return {"images": images, **more}


def test_the_same_once_more_replaces_itself():
    full = evaluation(test=OWN.as_json(), hardware={"precision": "32-true"})
    moved = evaluation(test={**OWN.as_json(), "folder": "there"}, hardware=full["hardware"])
    assert merge({"last": full}, "last", moved, BF16) == ("last", {"last": moved})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (evaluation(), evaluation(hardware={"precision": "32-true"})),
        (evaluation(900), evaluation(196, hardware=BF16)),
        (evaluation(post_hoc={"decay": 1}), evaluation(post_hoc={"decay": 2})),
        (evaluation(fitted={"target": [0.1, 0.9]}), evaluation(fitted={"target": [0.9, 0.1]})),
        (evaluation(test={"fingerprint": "a"}), evaluation(test={"fingerprint": "b"})),
    ],
)
def test_anything_else_stands_beside(old, new):
    name, found = merge({"last": old}, "last", new, BF16)
    assert name.startswith("last@")
    assert found == {"last": old, name: new}
    assert merge(found, "last", new, BF16) == (name, found)
    assert on_own(name, new) == (without_digest(name, new) == "last")


def test_an_evaluation_of_an_earlier_version_is_of_its_own_test():
    content = {"data": {}, "evaluations": {"last": {"images": 3}}}
    assert not on_other_images(content, "last")
    content["evaluations"]["last"]["test"] = {"fingerprint": "a", "folder": "photos"}
    assert on_other_images(content, "last")


def test_a_digest_tells_no_other_conditions():
    """It stands for other values of a change; the same form may be of a folder's images."""
    one, other = ({"images": 3, "fitted": {"tau": tau}} for tau in (1.0, 1.0000001))
    name, _ = merge({"last+tau_1@photos": one}, "last+tau_1@photos", other, BF16)
    assert name.startswith("last+tau_1@photos,")
    assert without_digest(name, other) == "last+tau_1@photos"
    assert not on_own(name, other)
    assert not on_own("last@01234567", other)
    assert on_own("last+tau_1", other)
