"""Names of classes that may be one class twice."""

import random

import pytest

from lt_lightning.inspection import names as module
from lt_lightning.inspection.names import confusable


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        ("Cat", "cat", "case"),
        ("polar bear", "polar_bear", "blanks or marks"),
        ("cat ", "cat", "blanks or marks"),
        ("\u0441\u0430t", "cat", "letters that look alike"),  # two letters are Cyrillic
        ("cafe\u0301", "caf\u00e9", "letters that look alike"),
        ("boxes", "box", "a plural"),
        ("dogs", "dog", "a plural"),
        ("berries", "berry", "a plural"),
        ("kitchen", "kitcehn", "one letter"),
        ("giraffe", "girafe", "one letter"),
    ],
)
def test_names_that_are_easily_confused_are_found(first, second, why):
    names = sorted(["zebra", first, second, "owl"])
    ((one, other, found),) = confusable(names)
    assert {one, other} == {first, second}
    assert found == why


def test_names_that_are_meant_to_differ_are_not():
    assert not confusable(["cat", "bat", "dog", "n01440764", "n01440765", "class_1", "class_2"])
    assert not confusable([str(k) for k in range(100)])


def test_many_names_are_not_compared_two_by_two(monkeypatch):
    """Of 3,000 names there are 4.5 million pairs; those that share nearly all are compared."""
    draw = random.Random(0)
    names = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=12)) for _ in range(3_000)]
    near = names[7][:5] + "-" + names[7][6:]
    compared, original = [], module.one_apart
    monkeypatch.setattr(module, "one_apart", lambda *pair: compared.append(pair) or original(*pair))
    assert confusable([*names, near]) == [(names[7], near, "one letter")]
    assert 0 < len(compared) < 100
