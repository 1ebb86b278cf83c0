"""Values that depend on the epoch, against the published code of BBN and hand-made numbers."""

import inspect
import math

import pytest

from lt_lightning import schedule
from lt_lightning.errors import UserError
from lt_lightning.schedule import (
    Constant,
    CosineDecay,
    LinearDecay,
    ParabolicDecay,
    ParabolicIncrement,
    Schedule,
    StepAt,
)

# Schedule -> its values at the first, the middle and the last of 200 epochs (0, 100, 199).
GOLDEN = {
    Constant(0.5): (0.5, 0.5, 0.5),
    ParabolicDecay(): (1.0, 0.75, 0.009975),
    ParabolicIncrement(): (0.0, 0.25, 0.990025),
    LinearDecay(): (1.0, 0.5, 0.005),
    CosineDecay(): (1.0, 0.70710678, 0.00785390),
    StepAt(0.6, before=1.0, after=0.0): (1.0, 1.0, 0.0),
}


def name(value):
    return type(value).__name__


def published(kind, epoch):
    """What the code of BBN computes for its 1-based `epoch` of 200; it has 120 for the switch."""
    t = (epoch - 1) / 200
    return {
        "ParabolicDecay": 1 - t**2,
        "ParabolicIncrement": t**2,
        "LinearDecay": 1 - t,
        "CosineDecay": math.cos(t * math.pi / 2),
        "Constant": 0.5,
        "StepAt": 1.0 if epoch <= 120 else 0.0,
    }[kind]


def test_every_schedule_of_the_module_has_golden_values():
    public = {
        cls
        for _, cls in inspect.getmembers(schedule, inspect.isclass)
        if issubclass(cls, Schedule) and not inspect.isabstract(cls)
    }
    assert public == {type(value) for value in GOLDEN}


@pytest.mark.parametrize("rule", GOLDEN, ids=name)
def test_first_middle_and_last_epoch_have_the_golden_values(rule):
    found = [rule(epoch, 200) for epoch in (0, 100, 199)]
    assert found == pytest.approx(GOLDEN[rule], abs=1e-8)


@pytest.mark.parametrize("rule", GOLDEN, ids=name)
def test_every_epoch_has_the_alpha_of_the_published_code(rule):
    for epoch in range(200):
        assert rule(epoch, 200) == pytest.approx(published(name(rule), epoch + 1), abs=1e-12)


@pytest.mark.parametrize("rule", GOLDEN, ids=name)
@pytest.mark.parametrize("epochs", [1, 2, 30, 90, 180])
def test_value_is_a_share_in_runs_of_any_length(rule, epochs):
    values = [rule(epoch, epochs) for epoch in range(epochs)]
    assert all(isinstance(value, float) and 0 <= value <= 1 for value in values)
    ascending = values == sorted(values)
    assert ascending or values == sorted(values, reverse=True)


@pytest.mark.parametrize("rule", GOLDEN, ids=name)
def test_same_part_of_a_shorter_run_has_the_same_value(rule):
    for epoch in range(30):
        assert rule(epoch, 30) == pytest.approx(rule(epoch * 10, 300), abs=1e-12)


@pytest.mark.parametrize(
    ("at", "epochs", "first"),
    [(0.8, 200, 160), (0.8, 30, 24), (0.6, 200, 120), (160, 200, 160), (1, 200, 1), (0, 9, 0)],
)
def test_switch_is_at_a_fraction_below_one_and_at_an_epoch_from_one_on(at, epochs, first):
    values = [StepAt(at, before=3.0, after=7.0)(epoch, epochs) for epoch in range(epochs)]
    assert values == [3.0] * first + [7.0] * (epochs - first)


@pytest.mark.parametrize(("at", "epochs"), [(0.8, 1), (0.8, 2), (0.9, 4), (160, 30), (1, 1)])
def test_a_switch_behind_the_end_comes_in_the_last_epoch(at, epochs):
    """Trap: round(0.8 * 2) is an epoch that a run of 2 has not."""
    values = [StepAt(at, before=3.0, after=7.0)(epoch, epochs) for epoch in range(epochs)]
    assert values == [3.0] * (epochs - 1) + [7.0]


@pytest.mark.parametrize("at", [-0.1, -5, math.nan])
def test_switch_before_the_run_is_refused(at):
    with pytest.raises(UserError, match=f"at is {at}"):
        StepAt(at)
