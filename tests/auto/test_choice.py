"""The choice: macro accuracy, its uncertainty, and ties."""

import math
import random

import pytest

from lt_lightning.auto import SIMPLEST_FIRST, STEPS, choose, difference, score

ORDER = ("plain", "adjusted", "trained")


def test_each_class_counts_the_same():
    labels = [0] * 8 + [1] * 2
    assert score("1" * 8 + "00", labels).mean == 0.5
    assert score("11110000" + "11", labels).mean == 0.75


def test_uncertainty_is_that_of_a_bootstrap_within_classes():
    rng = random.Random(0)
    labels = [k for k in range(4) for _ in range(60)]
    right = "".join(rng.choice("01") for _ in labels)
    parts = [[right[i] == "1" for i, label in enumerate(labels) if label == k] for k in range(4)]
    drawn = [sum(sum(rng.choices(p, k=60)) / 60 for p in parts) / 4 for _ in range(4000)]
    mean = sum(drawn) / len(drawn)
    spread = math.sqrt(sum((value - mean) ** 2 for value in drawn) / len(drawn))

    found = score(right, labels)

    assert found.mean == pytest.approx(mean, abs=0.005)
    assert found.sd == pytest.approx(spread, rel=0.05)


def test_one_image_of_a_class_is_not_taken_for_certain():
    alone, many = score("1", [0]).sd, score("1" * 100, [0] * 100).sd
    assert alone > 0.2
    assert many < 0.02
    assert difference("1", "1", [0]).sd > 0.2


def test_pairing_tells_apart_what_two_spreads_do_not():
    labels = [0] * 100
    better = "1" * 60 + "0" * 40
    worse = "1" * 50 + "0" * 50
    paired = difference(better, worse, labels)
    assert paired.mean == pytest.approx(0.1)
    assert 3 * paired.sd < paired.mean * 1.1
    assert paired.sd < score(better, labels).sd
    other = difference(better, worse[::-1], labels)
    assert other.mean == pytest.approx(paired.mean)
    assert other.sd > 2 * paired.sd


def test_of_equals_the_simpler_is_chosen():
    labels = [k for k in range(5) for _ in range(10)]
    good, near = "1" * 40 + "0" * 10, "0" + "1" * 38 + "0" + "1" + "0" * 9
    choice = choose({"trained": good, "adjusted": near, "plain": "0" * 50}, labels, ORDER)
    assert (choice.best, choice.name) == ("trained", "adjusted")
    assert choice.tied == ("adjusted", "trained")
    assert choice.behind["trained"].mean == 0


def test_what_is_better_by_more_than_its_uncertainty_is_chosen():
    labels = [k for k in range(5) for _ in range(10)]
    found = {"plain": "10" * 25, "trained": "1" * 50}
    choice = choose(found, labels, ORDER)
    assert (choice.best, choice.name, choice.tied) == ("trained", "trained", ("trained",))
    assert choice.behind["plain"].mean == pytest.approx(0.5)


def test_numbers_that_are_the_same_choose_the_simplest():
    labels = [0, 1]
    assert choose({"trained": "10", "plain": "10"}, labels, ORDER).name == "plain"


def test_every_step_has_its_place_in_the_order():
    assert sorted(SIMPLEST_FIRST) == sorted(step.name for step in STEPS)
    assert SIMPLEST_FIRST[0] == STEPS[0].name
