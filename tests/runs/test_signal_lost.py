"""A signal that comes while Python clears an object away, where what is raised is dropped."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

import lt_lightning.cli as cli
from lt_lightning.runs import signals


class Cleared:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)


def test_the_command_does_not_end_as_if_nothing_had_come(monkeypatch):
    """Trap: the exit status was 0."""
    monkeypatch.setattr(sys, "unraisablehook", cli._unraisable)

    def command(arguments):
        made = Cleared()
        del made

    monkeypatch.setattr(cli, "explained", command)
    with pytest.raises(signals.Stopped) as stopped:
        cli.execute(["report"])
    assert stopped.value.code == 143
    time.sleep(0.2)  # what comes again comes to nobody: it would end the process of the tests


def test_a_long_command_ends_at_once(tmp_path):
    program = """
        import os, signal, sys, time
        import lt_lightning.cli as cli

        class Cleared:
            def __del__(self):
                os.kill(os.getpid(), signal.SIGTERM)

        def command(arguments):
            made = Cleared()
            del made
            print("went on", flush=True)
            for _ in range(200):
                time.sleep(0.1)
            print("to its end", flush=True)

        cli.explained = command
        sys.argv = ["lt", "predict", "RUN"]
        sys.exit(cli.main())
    """
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 143
    assert done.stdout == "went on\n"
    assert done.stderr == "lt: stopped by SIGTERM.\n"
    assert time.monotonic() - began < 19
