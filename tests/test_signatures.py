"""One style of signatures: data by position, settings of what is made for data by name.

What is made of settings alone (rules, transforms, schedules) takes them by position too:
`EffectiveNumber(0.999)` and `EffectiveNumberBalanced(0.999)`, `Power(0.5)`, `Mixup(0.2)`.
"""

import inspect

import pytest

from lt_lightning import (
    augment,
    backbones,
    heads,
    losses,
    metrics,
    post_hoc,
    recipes,
    samplers,
    tuning,
)
from lt_lightning import schedule as schedules

PACKAGES = (
    augment,
    backbones,
    heads,
    losses,
    metrics,
    post_hoc,
    recipes,
    samplers,
    schedules,
    tuning,
)
DATA = {"ClassIndex", "Mixed", "MixedInside"}  # all that they take is data


def _classes():
    found = set()
    for package in PACKAGES:
        names = getattr(package, "__all__", dir(package))
        kinds = [getattr(package, name) for name in names]
        found |= {k for k in kinds if inspect.isclass(k) and not issubclass(k, Exception)}
    concrete = [k for k in found if not inspect.isabstract(k) and k.__name__ not in DATA]
    return sorted(concrete, key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", _classes(), ids=lambda kind: kind.__name__)
def test_settings_are_given_in_one_style(kind):
    parameters = [
        p
        for p in inspect.signature(kind).parameters.values()
        if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
    ]
    data = [p for p in parameters if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    settings = parameters[len(data) :]
    want = inspect.Parameter.KEYWORD_ONLY if data else inspect.Parameter.POSITIONAL_OR_KEYWORD
    wrong = [p.name for p in settings if p.kind is not want]
    assert not wrong, f"{kind.__name__}: {wrong}"


def test_the_pair_of_effective_numbers_takes_the_same():
    for kind in (losses.EffectiveNumber, samplers.EffectiveNumberBalanced):
        assert kind(0.99).beta == kind(beta=0.99).beta == 0.99
        assert kind(None).beta is None
