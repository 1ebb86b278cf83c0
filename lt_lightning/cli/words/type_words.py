"""What an option may be, in words, from its type."""

import argparse
import inspect
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, Union, get_args, get_origin

_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    type(None): "null",
}
_PLURALS = {int: "whole numbers", float: "numbers", str: "texts"}
_SOURCES = ("lt_lightning.", "torch.optim.", "lightning.pytorch.")
_LISTED = 25  # classes that one sentence may name


@dataclass(frozen=True)
class Wanted:
    """What may be written where a type is asked for.

    Attributes:
        phrases: describe it.
        names: the words that may be written; classes by their short names.
        bases: of the classes.
    """

    phrases: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    bases: tuple[type[Any], ...] = ()


def wanted(hint: Any) -> Wanted:
    """Return what `hint` accepts; classes by their short names."""
    phrases: list[str] = []
    names: list[str] = []
    kinds: list[type[Any]] = []
    values: list[str] = []
    for part in _parts(hint):
        if part in _WORDS:
            phrases.append(_WORDS[part])
        elif get_origin(part) is Literal:
            values += [str(value) for value in get_args(part)]
        elif get_origin(part) is tuple and (several := _several(get_args(part))):
            phrases.append(several)
        elif get_origin(part) in (list, tuple) or part in (list, tuple):
            phrases.append("a list")
        elif part is dict:
            phrases.append("pairs of a key and a value, such as {key: value}")
        elif inspect.isclass(part):
            known = sorted(set(_concrete(part)))
            names += known
            kinds.append(part)
            if known:
                phrases.append(
                    f"one of {', '.join(known)}" if len(known) <= _LISTED else "a class path"
                )
    if values:
        phrases.append(", ".join(dict.fromkeys(values)))
    # null stands last, and each phrase once.
    phrases.sort(key=lambda phrase: phrase == "null")
    words = tuple(dict.fromkeys(names + values))
    return Wanted(tuple(dict.fromkeys(phrases)), words, tuple(kinds))


def _several(parts: tuple[Any, ...]) -> str:
    """Return a tuple of so many plain values as words; nothing for another."""
    kinds = set(parts)
    if len(kinds) != 1 or not kinds & set(_PLURALS):
        return ""
    return f"a list of {len(parts)} {_PLURALS[kinds.pop()]}"


def values_of(hint: Any) -> Wanted:
    """Return what each value of a mapping may be; nothing where `hint` asks for no mapping."""
    whole = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    mapping = next((part for part in whole if get_origin(part) is dict), None)
    return Wanted() if mapping is None else wanted(get_args(mapping)[1])


def _parts(hint: Any) -> Iterator[Any]:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        for argument in arguments:
            yield from _parts(argument)
    elif origin is not None and inspect.isclass(origin) and issubclass(origin, Callable):  # type: ignore[arg-type]
        yield from _parts(arguments[-1])
    elif origin is dict:
        inner = list(_parts(arguments[1]))
        # The classes in a mapping can be named; of other values the mapping says enough.
        yield from inner if all(_is_base(part) for part in inner) else [dict]
    elif hint is not None and hint is not inspect.Parameter.empty:
        yield hint


def _is_base(part: Any) -> bool:
    return inspect.isclass(part) and part.__module__.startswith(_SOURCES)


def _concrete(base: type[Any]) -> Iterator[str]:
    """Yield the names of `base` and the classes below it that can be built."""
    public = not base.__name__.startswith("_") and base.__module__.startswith(_SOURCES)
    if public and not inspect.isabstract(base):
        yield base.__name__
    for kind in base.__subclasses__():
        yield from _concrete(kind)


def hint_of(action: argparse.Action) -> Any:
    """Return the type that an option is parsed by, or none where it is of argparse's own kind."""
    # Only the actions of jsonargparse have it, whose classes are all private.
    return getattr(action, "_typehint", None)
