"""How a command was started."""

import pytest

from lt_lightning.cli import main
from lt_lightning.runs import launch


def test_the_program_goes_by_its_name(monkeypatch):
    monkeypatch.setattr(launch, "_given", None)
    monkeypatch.setattr("sys.argv", ["/home/somebody/.venv/bin/lt", "fit", "--name", "x"])
    assert launch.command() == ["lt", "fit", "--name", "x"]


@pytest.mark.parametrize("started", ["/bin/lt", "/x/lt_lightning/__main__.py", "notebook.py", "-m"])
def test_the_command_is_recorded_the_same_whoever_calls(monkeypatch, started):
    """From Python the words of the calling program would be recorded."""
    monkeypatch.setattr(launch, "_given", None)
    monkeypatch.setattr("sys.argv", [started, "--of", "the program"])
    main(["test", "nowhere"])
    assert launch.command() == ["lt", "test", "nowhere"]
    monkeypatch.setattr("sys.argv", [started, "test", "elsewhere"])
    main()
    assert launch.command() == ["lt", "test", "elsewhere"]
