"""What a signature says of its parameters, for the gate that values pass."""

import inspect
import typing
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Union, get_args, get_origin

from lt_lightning.runs.class_path import is_outside

_UNIONS = (Union, type(int | str))
_PLAIN = (bool, int, float, complex, str, bytes, dict, list, tuple, set, type(None))


def parameters(kind: type[Any]) -> dict[str, tuple[Any, Any]]:
    """Return hint and default of what `kind` is built from, by name.

    A constructor that hands the rest on (**kwargs) takes what the next class of its bases takes.
    A parameter without a hint, or with one that cannot be resolved, may be anything.
    """
    found: dict[str, tuple[Any, Any]] = {}
    for owner in kind.__mro__:
        constructor = vars(owner).get("__init__")
        if constructor is None or owner is object:
            continue
        try:
            known = inspect.signature(constructor).parameters
        except (TypeError, ValueError):
            break
        hints = _hints(constructor)
        for name, parameter in list(known.items())[1:]:
            if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                found.setdefault(name, (hints.get(name, Any), parameter.default))
        if not any(p.kind == p.VAR_KEYWORD for p in known.values()):
            break
    return found


def untyped(kind: type[Any], hint: Any) -> Iterator[tuple[type[Any], str, Any]]:
    """Yield owner, name and default of what a class from outside takes without saying its type.

    As in `parameters`, the next class of its bases is asked only where the rest is handed on, and
    not of a name that a nearer one has.

    Args:
        kind: the class.
        hint: of its place; what a factory is called with is given by us and needs no type.
    """
    given = max((len(_arguments(part)) for part in choices(hint)), default=0)
    seen = set[str]()
    for owner in kind.__mro__:
        constructor = vars(owner).get("__init__")
        if constructor is None or owner is object:
            continue
        try:
            known = list(inspect.signature(constructor).parameters.values())[1:]
        except (TypeError, ValueError):
            break
        for parameter in known[given:] if is_outside(owner) else ():
            rest = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
            open_ = not rest and parameter.annotation is parameter.empty
            if open_ and parameter.name not in seen:
                yield owner, parameter.name, parameter.default
        seen.update(parameter.name for parameter in known)
        if not any(parameter.kind == parameter.VAR_KEYWORD for parameter in known):
            break


def _arguments(hint: Any) -> list[Any]:
    """Return what a function is called with, where its hint says so."""
    first = get_args(hint)[0] if _is_function(hint) and get_args(hint) else None
    return first if isinstance(first, list) else []


def _hints(function: Any) -> dict[str, Any]:
    # Lightning wraps constructors; the names in their hints are those of the inner module.
    try:
        return typing.get_type_hints(inspect.unwrap(function))
    except (NameError, TypeError, AttributeError):
        return {}


def choices(hint: Any) -> Iterator[Any]:
    """Yield the members of a union, others as they are."""
    if get_origin(hint) is Annotated:
        yield from choices(get_args(hint)[0])
    elif get_origin(hint) in _UNIONS:
        for part in get_args(hint):
            yield from choices(part)
    elif isinstance(hint, typing.TypeVar | typing.ForwardRef | str):
        yield Any
    else:
        yield hint


def is_open(hint: Any) -> bool:
    """Return whether `hint` says nothing of its value."""
    return any(p in (Any, object, inspect.Parameter.empty) for p in choices(hint))


def takes_null(hint: Any) -> bool:
    """Return whether none may stand there."""
    return is_open(hint) or any(
        p in (None, type(None)) or None in get_args(p) for p in choices(hint)
    )


def bases(hint: Any) -> tuple[type[Any], ...]:
    """Return the classes of which a subclass may be named there; of a factory, what it makes."""
    found: list[type[Any]] = []
    for part in choices(hint):
        origin = get_origin(part)
        if _is_function(part):
            found += bases(get_args(part)[-1]) if get_args(part) else ()
        elif inspect.isclass(origin) and not issubclass(origin, (*_PLAIN, typing.Iterable)):
            found.append(origin)
        elif inspect.isclass(part) and origin is None and part not in (*_PLAIN, object, Any):
            found.append(part)
    return tuple(found)


def items(hint: Any) -> Any:
    """Return the hint of what is in a list or a mapping, or that nothing is known of it."""
    found = []
    for part in choices(hint):
        arguments = [a for a in get_args(part) if a is not Ellipsis]
        if arguments and not _is_function(part) and inspect.isclass(get_origin(part)):
            # A mapping holds its values, a tuple any of its members.
            mapping = issubclass(get_origin(part), typing.Mapping)
            found += arguments[-1:] if mapping else arguments
    return Union[tuple(found)] if found else Any  # noqa: UP007


def _is_function(hint: Any) -> bool:
    return hint is Callable or get_origin(hint) is Callable or hint is typing.Callable
