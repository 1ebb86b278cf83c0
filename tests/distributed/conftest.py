"""Runs of `lt` in an empty folder."""

import pytest


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Work in an empty folder, without figures, which take seconds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("lt_lightning.callbacks.RunRecord._draw", lambda *_: None)
    return tmp_path
