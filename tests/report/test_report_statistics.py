"""Means, spreads and intervals against hand-made numbers and the tables of Student's t."""

import math

import pytest

from lt_lightning.report.statistics import paired, student_quantile, summarise

# Two-sided 95 % points as every textbook prints them.
TABLE = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 9: 2.262, 10: 2.228, 29: 2.045,
         30: 2.042, 120: 1.980}  # fmt: skip


@pytest.mark.parametrize(("degrees", "value"), TABLE.items())
def test_quantiles_are_those_of_the_tables(degrees, value):
    assert student_quantile(degrees) == pytest.approx(value, abs=6e-4)


def test_quantiles_of_another_level():
    assert student_quantile(4, 0.99) == pytest.approx(4.604, abs=6e-4)
    assert student_quantile(5, 0.90) == pytest.approx(2.015, abs=6e-4)


def test_spread_divides_by_n_minus_one():
    found = summarise([1.0, 2.0, 6.0])
    assert (found.n, found.mean) == (3, 3.0)
    assert found.sd == pytest.approx(math.sqrt((4 + 1 + 9) / 2))


def test_one_value_has_no_spread_and_none_has_nothing():
    assert summarise([7.0]).sd is None
    assert summarise([]) is None
    assert paired([]) is None


def test_interval_of_paired_differences():
    found = paired([1.0, 2.0, 3.0])
    half = 4.3027 * 1.0 / math.sqrt(3)
    assert found.mean == 2.0
    assert found.low == pytest.approx(2.0 - half, abs=1e-4)
    assert found.high == pytest.approx(2.0 + half, abs=1e-4)
    assert not found.clear
    assert paired([2.0, 2.1, 1.9]).clear
    assert paired([-2.0, -2.1, -1.9]).clear


def test_one_pair_has_no_interval():
    found = paired([5.0])
    assert (found.n, found.mean, found.low, found.high) == (1, 5.0, None, None)
    assert not found.clear
