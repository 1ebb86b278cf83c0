"""Which tests are long: a pytest plugin (`-p costs`) that measures them and writes tests/long.txt.

The cost of a test function is the mean of its cases, in seconds of a processor and not of a clock,
so that other work on the machine changes little, with what its processes took. What a fixture of a
module costs is counted for each function that asks for it: left out alone, it would still be paid.
"""

import os
from collections import defaultdict
from pathlib import Path

import pytest

FILE = Path(__file__).parents[1] / "long.txt"
LIMIT = 0.04  # seconds
# What the default suite has whatever it costs: each YAML and each document through the real `lt`,
# and a sample of the hostile cases.
ALWAYS = (
    "tests/configs/test_config_smoke.py",
    "tests/fuzz/test_fuzz.py",
    "tests/test_documents.py",
)
_shared = {}  # of a fixture that several tests share: its cost


def function_of(nodeid):
    """Return the name of a test without its case."""
    return nodeid.split("[")[0]


def long_ones():
    """Return the names of the long test functions."""
    return set(FILE.read_text(encoding="utf-8").split())


def _now():
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


class Costs:
    """Measures every test, and writes down the long ones at the end."""

    def __init__(self):
        self.cases, self.fixtures = defaultdict(list), defaultdict(set)
        self.aside = 0.0  # in shared fixtures, of the test at work

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef):
        if fixturedef.scope == "function":
            return (yield)
        before, others = _now(), self.aside
        try:
            return (yield)
        finally:
            own = _now() - before - (self.aside - others)
            self.aside += own
            place = (fixturedef.baseid, fixturedef.argname)
            _shared[place] = _shared.get(place, 0.0) + own

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        before, self.aside = _now(), 0.0
        result = yield
        name = function_of(item.nodeid)
        self.cases[name].append(_now() - before - self.aside)
        for found in item._fixtureinfo.name2fixturedefs.values():
            self.fixtures[name].update((one.baseid, one.argname) for one in found)
        return result

    def cost(self, name):
        """Return seconds of a case of a function, with its part of what it shares."""
        cases = self.cases[name]
        shared = sum(_shared.get(place, 0.0) for place in self.fixtures[name] if place[0])
        return (sum(cases) + shared) / len(cases)

    def pytest_sessionfinish(self, exitstatus):
        if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            found = {name for name in self.cases if self.cost(name) > LIMIT}
            measured = {name.split("::")[0] for name in self.cases}
            found |= {name for name in long_ones() if name.split("::")[0] not in measured}
            names = sorted(name for name in found if not name.startswith(ALWAYS))
            FILE.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")


def pytest_configure(config):
    """Measure, where this is a plugin of the run."""
    config.pluginmanager.register(Costs(), "costs-at-work")
