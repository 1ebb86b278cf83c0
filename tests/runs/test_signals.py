"""The end that a signal asks for goes through whatever is at work."""

import ast
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from lt_lightning.cli.commands import sweep
from lt_lightning.runs import signals

PACKAGE = Path(__file__).parents[2] / "lt_lightning"
_WIDE = {"SystemExit", "BaseException", ""}  # what takes such an end too; "" is a bare except


def _names(node: ast.expr | None) -> set[str]:
    if node is None:
        return {""}
    if isinstance(node, ast.Tuple):
        return set().union(*map(_names, node.elts))
    return {ast.unparse(node).rpartition(".")[2]}


def _swallowed(tree: ast.AST) -> Iterator[int]:
    """Yield the lines where a stop would be taken for another end, or lost."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Try | ast.TryStar):
            named = False
            for handler in node.handlers:
                names = _names(handler.type)
                named |= "Stopped" in names
                again = any(isinstance(inner, ast.Raise) for inner in ast.walk(handler))
                if names & _WIDE and not named and not again:
                    yield handler.lineno
            for last in node.finalbody:
                if any(isinstance(inner, ast.Return | ast.Break) for inner in ast.walk(last)):
                    yield last.lineno
        elif isinstance(node, ast.Call) and _names(node.func) == {"suppress"}:
            if any(_names(one) & _WIDE for one in node.args if not isinstance(one, ast.Starred)):
                yield node.lineno


LOST = """
try: work()
except SystemExit: pass
try: work()
except (ValueError, BaseException): pass
try: work()
except: pass
with contextlib.suppress(OSError, SystemExit): work()
try: work()
finally: return
try: work()
except SystemExit: pass
except Stopped: raise
"""
KEPT = """
try: work()
except signals.Stopped: raise
except SystemExit: pass
try: work()
except SystemExit as stop:
    if stop.code: raise
try: work()
except BaseException as error: raise UserError from error
try: work()
except Exception: pass
with suppress(OSError): work()
"""


def test_nothing_swallows_the_end_that_a_signal_asks_for():
    lost = ast.parse(f"def function():{LOST}".replace("\n", "\n "))
    assert sorted(_swallowed(lost)) == [3, 5, 7, 8, 10, 12]
    assert list(_swallowed(ast.parse(KEPT))) == []
    texts = {file: file.read_text(encoding="utf-8") for file in PACKAGE.rglob("*.py")}
    likely = re.compile("|".join((*filter(None, _WIDE), "except:", "finally:")))
    found = {
        file.relative_to(PACKAGE).as_posix(): lines
        for file, text in texts.items()
        if likely.search(text) and (lines := list(_swallowed(ast.parse(text))))
    }
    assert found == {}, "let runs.signals.Stopped through by a handler of its own"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_sweep_that_is_stopped_while_it_reads_a_config_reads_no_other(monkeypatch, number):
    def stopped(words):
        os.kill(os.getpid(), number)

    monkeypatch.setattr("lt_lightning.cli.app.LTCLI", stopped)
    with signals.taken(), pytest.raises(signals.Stopped) as stop:
        sweep._parse(["--config", "ce"])
    assert stop.value.number == number
