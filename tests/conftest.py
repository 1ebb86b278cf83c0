"""What all tests share."""

import logging
import os

import pytest
import torch

# Tiny networks gain nothing from threads, and threads that wait for each other on a busy machine
# make a test of one second last a minute. The commands that tests start inherit it.
os.environ["OMP_NUM_THREADS"] = "1"
torch.set_num_threads(1)


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
