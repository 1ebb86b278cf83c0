"""How a command was started."""

import logging

import pytest

from lt_lightning.cli import main
from lt_lightning.cli.dispatch import quiet
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


@pytest.mark.parametrize(
    ("variables", "level"),
    [
        ({"SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_NTASKS": "4"}, logging.INFO),
        ({"SLURM_PROCID": "2", "SLURM_LOCALID": "0", "SLURM_NTASKS": "4"}, logging.ERROR),
        ({"RANK": "2", "LOCAL_RANK": "0", "GROUP_RANK": "1"}, logging.ERROR),
        ({"NODE_RANK": "1", "LOCAL_RANK": "0"}, logging.ERROR),
    ],
)
def test_the_first_process_of_all_speaks(monkeypatch, variables, level):
    """Trap: the first one of each node, so that every line stands there once for each node."""
    for name in ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID", "SLURM_NTASKS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    own = logging.getLogger("lt_lightning")
    before = own.level
    try:
        quiet()
        assert own.level == level
    finally:
        own.setLevel(before)
