"""Which class of another package an error comes from, in one sentence.

An error that nobody thought of is a bug, and has its traceback; in a class from outside it is one
of that class, and its author is told where it is. `LT_DEBUG=1` shows the traceback of either.
"""

import dis
import inspect
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from types import CodeType, FrameType, TracebackType
from typing import Any

from lt_lightning.errors import one_sentence
from lt_lightning.runs.class_path import is_ours, is_outside, package, path_of

_SHOWN = 240  # characters of an error
_TORCHS = "before Module.__init__() call"  # what torch says of an attribute that comes too early
TRACE = "LT_DEBUG=1 shows the traceback"
_REPORT = "try without it, and report what fails then too with the traceback that LT_DEBUG=1 shows."
_TENSOR = re.compile(r"\btensor\(.*\)|\btensor\(.*")  # its numbers say nothing
_ORIGINAL = "Original Traceback"  # torch's, of an error in a DataLoader worker
_PLACE = re.compile(r'File "(.+)", line (\d+), in (\S+)')
_OURS = "lt_lightning"
_MOST = 3  # classes that may be meant
_SUPER = "call `super().__init__(...)` first in its constructor"


def sentence(chain: Sequence[BaseException]) -> str | None:
    """Return the sentence for an error of an outside class, or none where it is of no such class.

    Args:
        chain: the error, and those that it was raised from.
    """
    told = _in_worker(str(chain[0]))
    if told is not None:
        return told
    for error in reversed(chain):  # the first of them is what went wrong
        found = _asked_by_us(error) or _in_its_code(error) or _of_its_object(error)
        if found is not None:
            return found
    return _near(chain[-1])


def _asked_by_us(error: BaseException) -> str | None:
    """Return what is wrong with an outside object where our code misses something of it.

    A method from outside may have called that code; the object is no less the one to mend.
    """
    modules = [str(f.f_globals.get("__name__", "")) for f, _ in frames(error.__traceback__)]
    own = [module for module in modules if package(module) != "torch"]
    return _of_its_object(error) if own and package(own[-1]) == _OURS else None


def _in_its_code(error: BaseException) -> str | None:
    """Return what is wrong where a method of an outside class is at work."""
    at_work = [
        (kind, frame, line)
        for frame, line in frames(error.__traceback__)
        if (kind := _class_at_work(frame)) is not None
    ]
    if not at_work:
        return None
    kind, frame, line = at_work[-1]
    remedy = _SUPER if _TORCHS in str(error) else "mend it there"
    where = f"{_path(kind)}.{frame.f_code.co_name}"
    place = f"{frame.f_code.co_filename}, line {line}"
    return f"{where} failed in {place} ({said(error)}): {remedy}, {TRACE}."


def _in_worker(text: str) -> str | None:
    """Return what is wrong where the text of an error holds the traceback of a worker."""
    if _ORIGINAL not in text:
        return None
    modules = {
        str(vars(m).get("__file__")): m for m in [*sys.modules.values()] if inspect.ismodule(m)
    }
    for file, line, function in reversed(_PLACE.findall(text)):
        module = modules.get(file)
        if module is not None and any(
            inspect.isclass(kind) and kind.__module__ == module.__name__ and is_outside(kind)
            for kind in vars(module).values()
        ):
            where = f"{module.__name__}.{function} failed in {file}, line {line}"
            last = _short(text.strip().rsplit("\n", 1)[-1])
            return f"{where}, in a worker ({last}): mend it there, {TRACE}."
    return None


def _near(error: BaseException) -> str | None:
    """Return which outside classes were in use where our code failed.

    Only what the failing function itself works with can have given what it failed on; of what the
    functions around it work with that is not known, and the error may be one of ours. The command
    has the whole run at hand, so that nothing follows from it.
    """
    failed = ""
    for frame, line in reversed(list(frames(error.__traceback__))):
        module = str(frame.f_globals.get("__name__", ""))
        if package(module) != _OURS or module.startswith(f"{_OURS}.cli"):
            continue
        kinds = [kind for kind in map(type, _in_work(frame)) if is_outside(kind)]
        several = list(dict.fromkeys(kinds))[:_MOST]
        names = " or ".join(map(_path, several))
        where = f"{module}.{frame.f_code.co_name} failed"
        place, told = f"in {frame.f_code.co_filename}, line {line}", said(error)
        if kinds and not failed:
            remedy = f"compare it with {_contract(several[0])}; {TRACE}."
            return f"{where} with what {names} gave ({told}) {place}: {remedy}"
        failed = failed or f"{where} {place} ({told})"
        if kinds:
            return f"{failed} while {names} was in use: {_REPORT}"
    return None


def _in_work(frame: FrameType) -> Iterator[Any]:
    """Yield the objects that the code of a frame works with.

    These are its variables that it reads, what ours among them hold by a name that it reads, and
    the object whose method it is, where that calls a method of an outside class.
    """
    code, known = frame.f_code, frame.f_locals
    read = set(code.co_names) | _variables_read(code)
    own = known.get(code.co_varnames[0]) if code.co_argcount else None
    if not any(code.co_name in vars(kind) for kind in type(own).__mro__):
        own = None  # no method
    for value in [value for name, value in known.items() if name in read]:
        if value is not own:
            yield value
        yield from (held for name, held in _held(value).items() if name in read)
    if any(name in vars(kind) for kind in type(own).__mro__ if is_outside(kind) for name in read):
        yield own


def _variables_read(code: CodeType) -> set[str]:
    found: set[str] = set()
    for step in dis.get_instructions(code):
        if step.opname.startswith("LOAD_") and not step.opname.startswith("LOAD_CONST"):
            found.update(step.argval if isinstance(step.argval, tuple) else [str(step.argval)])
    return found


def _held(value: Any) -> dict[str, Any]:
    """Return what an object of ours holds, by its names."""
    inside: dict[str, Any] = {}
    if is_ours(type(value)):
        with suppress(TypeError):  # of an object with slots
            inside = vars(value)
    return {**inside, **inside.get("_modules", {})}


def _contract(kind: type[Any]) -> str:
    """Return what says what a class must give."""
    base = next(base for base in kind.__mro__ if not is_outside(base))
    asked = sorted(vars(base).get("__abstractmethods__", ()))
    asked = asked or sorted(name for name in vars(base) if name in vars(kind) and name[0] != "_")
    return f"what {path_of(base)} says of {', '.join(asked) or 'it'}"


def _of_its_object(error: BaseException) -> str | None:
    """Return what is wrong with an outside object that lacks what its base would have set."""
    if not isinstance(error, AttributeError):
        return None
    kind = type(error.obj)
    if not any("__init__" in vars(k) for k in kind.__mro__ if is_outside(k)):
        return None
    what = f"an object of {_path(kind)} is not complete ({said(error)})"
    return f"{what}: {_SUPER}, or set {error.name} there."


def _class_at_work(frame: FrameType) -> type[Any] | None:
    """Return the outside class whose code a frame runs, or none."""
    first = frame.f_code.co_varnames[:1] if frame.f_code.co_argcount else ()
    owner = frame.f_locals.get(first[0]) if first else None
    kind = owner if inspect.isclass(owner) else type(owner)
    module = str(frame.f_globals.get("__name__", ""))
    for base in kind.__mro__:
        if base.__module__ == module and is_outside(base) and frame.f_code.co_name in vars(base):
            return base
    return None


def frames(trace: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    """Yield the frames of a traceback with their lines, the outermost first."""
    while trace is not None:
        yield trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next


def _path(kind: type[Any]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def said(error: BaseException) -> str:
    """Return what the author of a class said, and by which exception."""
    text = _short(str(error))
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _short(text: str) -> str:
    return _TENSOR.sub("tensor(...)", one_sentence(text)).rstrip(".")[:_SHOWN]
