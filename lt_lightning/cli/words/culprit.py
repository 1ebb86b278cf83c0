"""Which class of another package an error comes from, in one sentence.

An error that nobody thought of is a bug, and has its traceback; in a class from outside it is one
of that class, and its author is told where it is. `LT_DEBUG=1` shows the traceback of either.
"""

import inspect
from collections.abc import Iterator, Sequence
from types import FrameType, TracebackType
from typing import Any

from lt_lightning.errors import one_sentence
from lt_lightning.runs.class_path import is_outside

_SHOWN = 240  # characters of an error
_TORCHS = "before Module.__init__() call"  # what torch says of an attribute that comes too early
_SUPER = "call `super().__init__(...)` first in its constructor"


def sentence(chain: Sequence[BaseException]) -> str | None:
    """Return the sentence for an error of an outside class, or none where it is of no such class.

    Args:
        chain: the error, and those that it was raised from.
    """
    for error in reversed(chain):  # the first of them is what went wrong
        found = _in_its_code(error) or _of_its_object(error)
        if found is not None:
            return found
    return None


def _in_its_code(error: BaseException) -> str | None:
    """Return what is wrong where a method of an outside class is at work."""
    at_work = [
        (kind, frame, line)
        for frame, line in _frames(error.__traceback__)
        if (kind := _class_at_work(frame)) is not None
    ]
    if not at_work:
        return None
    kind, frame, line = at_work[-1]
    remedy = _SUPER if _TORCHS in str(error) else "mend it there"
    where = f"{_path(kind)}.{frame.f_code.co_name}"
    place = f"{frame.f_code.co_filename}, line {line}"
    return f"{where} failed in {place} ({_told(error)}): {remedy}, LT_DEBUG=1 shows the traceback."


def _of_its_object(error: BaseException) -> str | None:
    """Return what is wrong with an outside object that lacks what its base would have set."""
    if not isinstance(error, AttributeError):
        return None
    kind = type(error.obj)
    if not any("__init__" in vars(k) for k in kind.__mro__ if is_outside(k)):
        return None
    what = f"an object of {_path(kind)} is not complete ({_told(error)})"
    return f"{what}: {_SUPER}, or set {error.name} there."


def _class_at_work(frame: FrameType) -> type[Any] | None:
    """Return the outside class whose code a frame runs, or none."""
    first = frame.f_code.co_varnames[:1] if frame.f_code.co_argcount else ()
    owner = frame.f_locals.get(first[0]) if first else None
    kind = owner if inspect.isclass(owner) else type(owner)
    module = str(frame.f_globals.get("__name__", ""))
    for base in kind.__mro__:
        if base.__module__ == module and is_outside(base):
            return base
    return None


def _frames(trace: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while trace is not None:
        yield trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next


def _path(kind: type[Any]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _told(error: BaseException) -> str:
    text = one_sentence(str(error)).rstrip(".")[:_SHOWN]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
