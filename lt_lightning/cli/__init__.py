"""The command `lt`: what can be answered without torch is answered before torch is loaded."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FunctionType

from lt_lightning.cli.front import answer
from lt_lightning.errors import Agreed, Finished, Refused, UserError, shown
from lt_lightning.runs import argv as argv_words
from lt_lightning.runs import launch, lock, numbers, peers, signals, warning

_DIGITS = 10  # of the number of a process


def main(argv: Sequence[str] | None = None) -> int:
    """Run `lt` with the arguments `argv`, or else the program's own, and return the exit status.

    0 is success, 1 a run that failed, 2 a command line that was refused, 3 success but for what was
    left out as asked, 130 an interrupt, 143 a SIGTERM.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if argv is None and not _debug():
        sys.unraisablehook = _unraisable
    with warning.taken(arguments, to_the_end=argv is None):
        return _ended(arguments)


def _ended(arguments: list[str]) -> int:
    """Run a command, say why it did not come to its end, and return the exit status."""
    try:
        argv_words.check(arguments)
        text, status = answer(arguments)
        if text is not None:
            stream = sys.stderr if status else sys.stdout
            stream.write(text + "\n")
            return status
        execute(arguments)
    except Refused as refused:
        _say(refused.sentence)
        return 2
    except signals.Stopped as stop:
        if launch.is_first():
            _say(stop.sentence)
        # Lightning kills the first process where one that it started leaves with another status.
        return 0 if launch.is_child() else _status(stop)
    except SystemExit as stop:
        return _status(stop)
    except UserError as error:
        if _debug():
            raise
        if launch.is_first() or not isinstance(error, Agreed):
            _say(str(error))
        return 1
    except KeyboardInterrupt as interrupt:
        if _debug():
            raise
        _say(str(interrupt))
        return 130
    return 0


def execute(arguments: Sequence[str]) -> Path | None:
    """Run a command that needs torch, and return the folder of the run that it trained, if any.

    Args:
        arguments: the words after `lt`.

    Raises:
        Refused: if the command line is not understood.
        UserError: if the run failed and the user can mend it, whoever noticed first.
        KeyboardInterrupt: if Lightning was interrupted.
        Stopped: if a signal came.
    """
    argv_words.check(arguments)
    numbers.check()
    try:
        with warning.taken(arguments), signals.taken():
            try:
                found = explained(list(arguments))
                if signals.noted():  # what its handler raised was dropped, see `_unraisable`
                    signals.leave(signals.noted())
                return found
            except signals.Stopped as stop:
                warning.ended(stop.number)
                raise
    finally:
        peers.leave()
        lock.release()


def explained(arguments: list[str]) -> Path | None:
    """Run a command as `execute` does, as a part of the one at work.

    An error that has a sentence is raised as that sentence; locks are kept, signals are not taken.
    """
    launch.note_command(arguments)
    from lt_lightning.cli.words.errors import explain

    try:
        from lt_lightning.cli.dispatch import run

        return run(arguments)
    except Finished as finished:
        return finished.folder
    except (Refused, signals.Stopped):
        raise
    except SystemExit as stop:
        # Lightning makes an exit of an interrupt.
        if not isinstance(stop.__context__, KeyboardInterrupt):
            raise
        raise KeyboardInterrupt(explain(stop)) from stop
    except BaseException as error:
        if _debug():
            raise
        if signals.noted():  # what another process that leaves has brought about in this one
            raise signals.Stopped(signals.noted()) from error
        message = explain(error)
        if message is None or (isinstance(error, UserError) and message == str(error)):
            raise
        kind = KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else UserError
        raise kind(message) from error


def _unraisable(told: "sys.UnraisableHookArgs") -> None:
    """Pass over what an object of a library raises as it is thrown away: nothing depends on it.

    One that could not be built, or has failed, may lack what its own end asks for. A signal that
    came while it was thrown away comes again.
    """
    if isinstance(told.exc_value, signals.Stopped):
        signals.send_again()
        return
    method = told.object
    ends = isinstance(method, FunctionType) and method.__name__ == "__del__"
    if not (ends and not method.__module__.startswith(__name__.partition(".")[0])):
        sys.__unraisablehook__(told)


def _debug() -> bool:
    return os.environ.get("LT_DEBUG") == "1"


def _say(sentence: str) -> None:
    """Write the sentence; of several processes each may have its own."""
    rank = launch.rank()
    # Else the sentence is about that; and the first one of another node is no process 0 of the run.
    numbered = rank.isdecimal() and rank != "0" and len(rank) <= _DIGITS
    who = f"lt (process {rank})" if numbered and not launch.is_first() else "lt"
    sys.stderr.write(f"{who}: {shown(sentence)}\n")


def _status(stop: SystemExit) -> int:
    if stop.code is None:
        return 0
    return stop.code if isinstance(stop.code, int) else 1
