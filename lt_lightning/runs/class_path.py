"""Dotted names of classes, in files as they were read; this loads neither torch nor the parser.

What names a class must name a class. Nothing of the standard library is imported, for nothing
there can be a class that a place asks for.
"""

import importlib
import inspect
import math
import sys
from types import ModuleType
from typing import Any

from lt_lightning.errors import Refused, UserError, one_sentence
from lt_lightning.nearest import nearest
from lt_lightning.runs.signals import Stopped

LARGEST = 2**63  # whole numbers below it have 64 bits
_SHOWN = 60  # characters of a value
_OURS = "lt_lightning"
_BASES = (_OURS, "torch", "lightning")  # packages whose classes others build on
_LIBRARIES = (
    *_BASES,
    *("pytorch_lightning", "torchvision", "torchmetrics", "jsonargparse", "timm", "peft", "wandb"),
)


def named(path: Any) -> Any:
    """Return what a dotted path names.

    Raises:
        UserError: if it is none, lies in the standard library, or cannot be imported.
    """
    parts = path.split(".") if isinstance(path, str) else []
    if len(parts) < 2 or not all(part.isidentifier() for part in parts):
        raise UserError(
            f"{told(path)} is no class path: give one such as lt_lightning.methods.ERM."
        )
    if parts[0] in sys.stdlib_module_names:
        raise UserError(f"{path} is of Python itself and is never built: give a class of its kind.")
    module, name = ".".join(parts[:-1]), parts[-1]
    found = None
    try:
        found = importlib.import_module(module)
        return getattr(found, name)  # what a file names is known by its name alone
    except Stopped:  # a signal that came meanwhile says nothing of the package
        raise
    except (Exception, SystemExit) as error:  # an import runs the module, which may raise anything
        remedy = _mended(error, module) if found is None else _renamed(found, module, name)
        why = one_sentence(str(error))[:200]
        raise UserError(f"{path} cannot be imported ({why}): {remedy}.") from error


def shortened(path: str) -> str:
    """Return the name of a class; of one from outside all of its path, for another may have it."""
    return path.rsplit(".", 1)[-1] if path.partition(".")[0] in _LIBRARIES else path


def trouble(value: str | None) -> UserError | None:
    """Return why a class cannot be imported, or none where it can, or where `value` names none."""
    if value is None or "." not in value or not all(map(str.isidentifier, value.split("."))):
        return None
    try:
        named(value)
    except UserError as error:
        return error
    return None


def _mended(error: BaseException, module: str) -> str:
    """Return what helps where the import of a module ended with `error`."""
    if not isinstance(error, ModuleNotFoundError):
        kind = type(error).__name__
        return f"the module {module} itself ends with that {kind}, mend it there"
    missing = error.name or module
    if module == missing and "." in module:
        return f"{module.rpartition('.')[0]} is there and has no such module, check the path"
    own = module == missing or module.startswith(f"{missing}.")
    return f"install the package that it comes from{'' if own else f', or {missing}'}"


def _renamed(module: ModuleType, path: str, name: str) -> str:
    if path == "__main__":
        return "it was defined in a script, so put it in a module and train again"
    near = nearest(name, (k for k, value in vars(module).items() if inspect.isclass(value)))
    return f"did you mean {path}.{near}" if near else f"look up what {path} calls it"


def look(content: Any, key: str = "") -> None:
    """Refuse what names no class where a class is named, in a file as it was read.

    The parser would look at the signature of a function, and word what it misses there.

    Raises:
        Refused: with the key and the name.
    """
    if isinstance(content, list):
        for item in content:
            look(item, key)
    if not isinstance(content, dict):
        return
    path = content.get("class_path", "")
    if not isinstance(path, str):
        where = f"{key}.class_path".lstrip(".")
        raise Refused(f"{where} is {told(path)}: give the name of a class, in quotes.", key)
    if "." in path:
        try:
            kind = named(path)
        except UserError as error:
            raise Refused(f"{key}: {error}", key) from error
        if not inspect.isclass(kind):
            raise Refused(f"{key} names {path}, which is no class: functions are never taken.", key)
    for name, item in content.items():
        level = key if name in ("init_args", "dict_kwargs") else f"{key}.{name}".lstrip(".")
        look(item, level)


def is_outside(kind: type[Any]) -> bool:
    """Return whether a class is of another package, built on one of ours or of our libraries."""
    known = package(kind.__module__) in (*_LIBRARIES, *sys.stdlib_module_names) and (
        kind.__module__ != "__main__"
    )
    return not known and any(package(base.__module__) in _BASES for base in kind.__mro__)


def is_ours(kind: type[Any]) -> bool:
    """Return whether a class is one of this package, or built on one."""
    return any(package(base.__module__) == _OURS for base in kind.__mro__)


def unwritten(kind: type[Any]) -> str | None:
    """Return what a class from outside leaves unwritten that its base asks for, or none.

    Such a class cannot be built, and nothing but its names says what was meant.
    """
    if not inspect.isabstract(kind) or not is_outside(kind):
        return None
    name = min(kind.__abstractmethods__)
    near = nearest(name, (k for k, value in vars(kind).items() if inspect.isfunction(value)), 0.75)
    return f"{name}; its {near} may be meant" if near else name


def path_of(kind: type[Any]) -> str:
    """Return the shortest path that names a class, as the parser writes it into config.yaml."""
    parts = kind.__module__.split(".")
    for k in range(1, len(parts)):
        module = ".".join(parts[:k])
        if getattr(importlib.import_module(module), kind.__qualname__, None) is kind:
            return f"{module}.{kind.__qualname__}"
    return f"{kind.__module__}.{kind.__qualname__}"


def package(module: str) -> str:
    """Return the first part of the name of a module."""
    return module.partition(".")[0]


def told(value: Any) -> str:
    """Return a value for a message, in ASCII and not long; null as YAML has it."""
    if value is None:
        return "null"
    if isinstance(value, int) and abs(value) >= 10**_SHOWN:
        # Python does not write numbers of 5,000 digits.
        return f"a number of some {int(value.bit_length() * math.log10(2)) + 1} digits"
    text = ascii(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 4]} ..."
