"""What all tests share."""

import logging
import os

import pytest
from costs import function_of, long_ones

# Tiny networks gain nothing from threads, and threads that wait for each other on a busy machine
# make a test of one second last a minute. The commands that tests start inherit it. It holds from
# the import of torch on, which is not here: the process that gives out the tests needs none.
os.environ["OMP_NUM_THREADS"] = "1"


# Files that look at one fit of every method: together they fit once, not once each.
_ONE_FIT = {"test_method_fit", "test_method_evaluation", "test_method_state"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark the long tests; let `--dist loadgroup` give whole files to a process."""
    long = long_ones()
    for item in items:
        if function_of(item.nodeid) in long:
            item.add_marker("long")
        group = "fits of all methods" if item.path.stem in _ONE_FIT else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(autouse=True)
def _loggers_are_given_back():
    """The command takes the log over: without this, no later test could read it."""
    names = ("lt_lightning", "lightning.pytorch", "lightning.fabric")
    loggers = [logging.getLogger(name) for name in names]
    before = [(log, log.level, log.propagate, log.handlers[:]) for log in loggers]
    yield
    for log, level, propagate, handlers in before:
        log.setLevel(level)
        log.propagate, log.handlers[:] = propagate, handlers
