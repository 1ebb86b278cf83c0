"""Runs of `lt` in an empty folder."""

import os

import pytest

from lt_lightning.runs import lock

STARTERS = ("SLURM_", "TORCHELASTIC_", "LT_RUN", "RANK", "LOCAL_RANK", "NODE_RANK", "MASTER_")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Work in an empty folder, without figures, which take seconds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("lt_lightning.callbacks.RunRecord._draw", lambda *_: None)
    return tmp_path


@pytest.fixture
def fresh(monkeypatch):
    """Forget who started the tests; what the code under test adds is taken back as well."""
    monkeypatch.setenv("LT_RUN_FOLDER", "taken back at the end")
    for name in [name for name in os.environ if name.startswith(STARTERS)]:
        monkeypatch.delenv(name)
    yield
    lock.release()


@pytest.fixture
def runs(tmp_path):
    return tmp_path / "runs"
