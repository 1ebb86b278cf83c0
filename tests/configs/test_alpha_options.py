"""Every schedule that can be BBN's alpha, by its name on the command line."""

import inspect

import pytest
from config_files import CONFIGS

from lt_lightning import schedule
from lt_lightning.schedule import Schedule

FILE = ("--config", CONFIGS / "bbn.yaml")

# options, and alpha at the 0-based epochs 0, 100 and 199 of 200, by hand
OPTIONS = {
    "ParabolicDecay": ((), (1.0, 0.75, 0.009975)),
    "ParabolicIncrement": ((), (0.0, 0.25, 0.990025)),
    "LinearDecay": ((), (1.0, 0.5, 0.005)),
    "CosineDecay": ((), (1.0, 0.70710678, 0.00785390)),
    "Constant": (("--model.alpha.value", "0.5"), (0.5, 0.5, 0.5)),
    "StepAt": (
        ("--model.alpha.at", "0.6", "--model.alpha.before", "1", "--model.alpha.after", "0"),
        (1.0, 1.0, 0.0),
    ),
}


# One with options and one without; tests/test_schedule.py has the values of all.
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=[] if n in ("CosineDecay", "StepAt") else pytest.mark.slow)
        for n in OPTIONS
    ],
)
def test_alpha_is_chosen_by_name(name, build):
    more, values = OPTIONS[name]
    alpha = build(*FILE, "--model.alpha", name, *more).model.alpha
    assert type(alpha).__name__ == name
    assert [alpha(epoch, 200) for epoch in (0, 100, 199)] == pytest.approx(values, abs=1e-7)


def test_no_schedule_is_forgotten():
    kinds = [kind for _, kind in inspect.getmembers(schedule, inspect.isclass)]
    concrete = {k.__name__ for k in kinds if issubclass(k, Schedule) and not inspect.isabstract(k)}
    assert concrete == set(OPTIONS)
