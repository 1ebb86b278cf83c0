"""A signal that comes while Python clears an object away."""

import os
import signal

import pytest

import lt_lightning.cli as cli
from lt_lightning.runs import signals


class Cleared:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_command_does_not_end_as_if_nothing_had_come(monkeypatch):
    """Trap: what a handler raises there is dropped, and the exit status was 0."""

    def command(arguments):
        del_ = Cleared()
        del del_

    monkeypatch.setattr(cli, "explained", command)
    with pytest.raises(signals.Stopped) as stopped:
        cli.execute(["report"])
    assert stopped.value.code == 143
