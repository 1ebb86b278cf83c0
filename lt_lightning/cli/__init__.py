"""The command `lt`: what can be answered without torch is answered before torch is loaded."""

import os
import sys
from collections.abc import Sequence

from lt_lightning.cli.front import answer
from lt_lightning.errors import Refused
from lt_lightning.runs import argv as argv_words
from lt_lightning.runs import launch, lock, numbers, signals


def main(argv: Sequence[str] | None = None) -> int:
    """Run `lt` with the arguments `argv` and return the exit status.

    0 is success, 1 a run that failed, 2 a command line that was refused, 130 an interrupt,
    143 a SIGTERM.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        argv_words.check(arguments)
    except Refused as refused:
        _say(refused.sentence)
        return 2
    text, status = answer(arguments)
    if text is not None:
        stream = sys.stderr if status else sys.stdout
        stream.write(text + "\n")
        return status
    try:
        numbers.check()
    except Refused as refused:
        sys.stderr.write(f"lt: {refused.sentence}\n")
        return 2
    launch.note_command(arguments)
    try:
        with signals.taken():
            return _run(arguments)
    except signals.Stopped as stop:
        if launch.is_first():
            _say(stop.sentence)
        # Lightning kills the first process where one that it started leaves with another status.
        return 0 if launch.is_child() else _status(stop)
    finally:
        lock.release()


def _run(arguments: list[str]) -> int:
    """Run a command that needs torch, and return the exit status."""
    from lt_lightning.cli.words.errors import explain

    try:
        from lt_lightning.cli.dispatch import run

        run(arguments)
    except Refused as refused:
        _say(refused.sentence)
        return 2
    except signals.Stopped:
        raise
    except SystemExit as stop:
        # Lightning makes an exit of an interrupt.
        if not isinstance(stop.__context__, KeyboardInterrupt):
            return _status(stop)
        _say(str(explain(stop)))
        return 130
    except BaseException as error:
        if os.environ.get("LT_DEBUG") == "1":
            raise
        if signals.noted():  # what another process that leaves has brought about in this one
            raise signals.Stopped(signals.noted()) from error
        message = explain(error)
        if message is None:
            raise
        _say(message)
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    return 0


def _say(sentence: str) -> None:
    """Write the sentence; of several processes each may have its own."""
    who = "lt" if launch.is_first() else f"lt (process {launch.rank()})"
    sys.stderr.write(f"{who}: {sentence}\n")


def _status(stop: SystemExit) -> int:
    if stop.code is None:
        return 0
    return stop.code if isinstance(stop.code, int) else 1
