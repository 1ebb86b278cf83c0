"""`lt` up to where a run would begin."""

import pytest
from config_files import METHOD_FILES
from lt_parsed import stopped
from lt_runs import in_process
from small_cifar import cifar_root, small_cifar

__all__ = ["cifar_root", "small_cifar"]  # fixtures


def pytest_generate_tests(metafunc):
    """Run a test that asks for `method_file` on each of them."""
    if "method_file" in metafunc.fixturenames:
        metafunc.parametrize("method_file", METHOD_FILES, ids=[path.stem for path in METHOD_FILES])


@pytest.fixture
def lt(tmp_path, monkeypatch):
    """Return a function that runs `lt` in an empty folder, without figures, which take seconds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lt_lightning.callbacks.RunRecord._draw", lambda *_: None)
    return in_process


@pytest.fixture
def parse(lt, monkeypatch):
    """Return a function that gives the parsed options of a command line, with nothing built."""
    return _fit(stopped(lt, monkeypatch, lambda cli: cli.options, "instantiate_classes"))


@pytest.fixture
def build(lt, monkeypatch):
    """Return a function that gives model and data of a command line, before the run."""
    return _fit(stopped(lt, monkeypatch, lambda cli: cli, "after_instantiate_classes"))


def _fit(call):
    return lambda *words: call("fit", "--trainer.accelerator", "cpu", *words)
