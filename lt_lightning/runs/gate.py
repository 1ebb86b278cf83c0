"""The one gate that every value of a file or a command line passes before it becomes an object.

What names a class must name a class, and a subclass of what its place asks for; a function is
never taken, and nothing of the standard library is imported, for nothing there can be such a class.
Nothing is built or called here.
"""

import inspect
import math
import sys
from collections.abc import Collection, Container, Mapping
from functools import partial
from typing import Any

from jsonargparse import ArgumentError, ArgumentParser, Namespace, set_parsing_settings

from lt_lightning.errors import Refused, UserError, one_sentence
from lt_lightning.runs.class_path import LARGEST, is_ours, look, named, told, unwritten
from lt_lightning.runs.hints import bases, is_open, items, parameters, takes_null, untyped

# What is not checked here is not taken elsewhere: a mapping in a place without a type stays one.
set_parsing_settings(
    import_path_denylist=sorted(sys.stdlib_module_names), instantiate_subclass_spec_in_any=False
)


def check(key: str, value: Any, hint: Any, later: Collection[str] = ()) -> None:
    """Refuse a value that must not, or cannot, become what its place asks for.

    Args:
        key: its dotted name, as the command line has it.
        value: what was parsed; nested mappings and lists are looked through.
        hint: the type of its place.
        later: keys that get their values from elsewhere, when the classes are built.

    Raises:
        Refused: with the key, the value and what may stand there.
    """
    if value is None:
        if key not in later and not takes_null(hint):
            raise Refused(f"{key} is null: give {_wanted(hint) or 'it a value'}.", key)
    elif isinstance(value, Namespace | Mapping):
        content = _plain(value)
        if "class_path" in content and not (is_open(hint) and not bases(hint)):
            _check_class(key, content, hint, later)
        else:
            for name, item in content.items():
                check(f"{key}.{name}", item, items(hint), later)
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            check(f"{key}[{place}]", item, items(hint), later)
    elif inspect.isclass(value):
        _check_subclass(key, value, f"{value.__module__}.{value.__qualname__}", hint)
    elif inspect.isroutine(value) or inspect.ismodule(value) or isinstance(value, partial):
        # Functions, modules and partials share no type that has a name.
        name = f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', value)}"
        raise Refused(f"{key} names {name}, {_no_class(hint)}", key)
    else:
        _check_plain(key, value)


def is_own_function(value: Any, default: Any) -> bool:
    """Return whether a value is the very function that a signature has for its default.

    The class calls it without a word of anyone; any other function was named by someone.
    """
    return value is default and inspect.isroutine(value)


def build(key: str, base: type[Any], path: str, options: Mapping[str, Any]) -> Any:
    """Build a subclass of `base` from plain values, after they passed the gate.

    Args:
        key: its name, for the messages.
        base: what it must be a subclass of.
        path: its dotted name.
        options: what its constructor takes.

    Raises:
        UserError: if they name something else, or it cannot be built from them.
    """
    spec = {"class_path": path, "init_args": dict(options)}
    parser = ArgumentParser(exit_on_error=False)
    try:
        look(spec, key)
        kind = named(path)
        _check_subclass(key, kind, path, base)
        parser.add_class_arguments(kind, "it", fail_untyped=False)
        parsed = parser.parse_object({"it": spec["init_args"]})
        check(key, {"class_path": path, "init_args": parsed.it}, base)
        return parser.instantiate(parsed).it
    except Refused as refused:
        raise UserError(refused.sentence) from refused
    except (ArgumentError, TypeError, ValueError, KeyError, ArithmeticError) as error:
        if isinstance(error, UserError):
            raise
        text = one_sentence(str(error).replace('Parser key "it', f'"{key}'))
        raise UserError(f"{path} cannot be built from it ({text[:200]}).") from error


def _check_class(key: str, content: dict[str, Any], hint: Any, later: Collection[str]) -> None:
    """Refuse a mapping whose class is none for its place, or has arguments that are none for it."""
    path = content["class_path"]
    try:
        kind = named(path)
        _check_subclass(key, kind, path, hint)
    except UserError as error:
        raise Refused(f"{key}: {error}", key) from error
    known = parameters(kind)
    _check_constructor(key, kind, hint, later, known)
    for name, value in _plain(content.get("init_args") or {}).items():
        expected, default = known.get(name, (Any, None))
        if is_own_function(value, default):
            continue
        # A signature may say `x: int = None`.
        if value is not None or default is not None:
            check(f"{key}.{name}", value, expected, later)
    for name, value in _plain(content.get("dict_kwargs") or {}).items():
        check(f"{key}.{name}", value, Any)


def _check_constructor(
    key: str, kind: type[Any], hint: Any, later: Collection[str], known: Container[str]
) -> None:
    """Refuse a class of ours, or from outside, whose constructor cannot be given its values."""
    if not is_ours(kind):
        return
    path = f"{kind.__module__}.{kind.__qualname__}"
    for owner, name, default in untyped(kind, hint):
        plain = isinstance(default, bool | int | float | str)
        said = f"{type(default).__name__} = {default!r}" if plain else "float"
        place = "" if owner is kind else f" in {owner.__module__}.{owner.__qualname__}"
        raise Refused(
            f"{key} is {path}, whose constructor does not say the type of {name}: write it{place}, "
            f"such as `{name}: {said}`.",
            key,
        )
    for name in sorted(
        part for above, _, part in (k.rpartition(".") for k in later) if above == key
    ):
        if name not in known:
            raise Refused(
                f"{key} is {path}, whose constructor does not take {name}: end its parameters with "
                "`**kwargs: Any` and hand them on by `super().__init__(**kwargs)`.",
                key,
            )


def _check_subclass(key: str, kind: Any, path: str, hint: Any) -> None:
    wanted = bases(hint)
    if not inspect.isclass(kind):
        raise Refused(f"{key} names {path}, {_no_class(hint)}", key)
    if not wanted or not issubclass(kind, wanted):
        remedy = f"give {_wanted(hint)}" if wanted else "no class can stand there, leave it out"
        raise Refused(f"{key} names {path}, which is no class for it: {remedy}.", key)
    missing = unwritten(kind)
    if missing is not None:
        raise Refused(f"{key} is {path}, which has no {missing}: write it.", key)
    if inspect.isabstract(kind):
        raise Refused(
            f"{key} is {kind.__name__}, which is the base of its kind and does nothing itself: "
            "give a class below it, `lt methods` lists them.",
            key,
        )


def _check_plain(key: str, value: Any) -> None:
    """Refuse numbers and texts that nothing here can hold."""
    if isinstance(value, int) and not -LARGEST <= value < LARGEST:
        raise Refused(f"{key} is {told(value)}: give a number of at most 64 bits.", key)
    if isinstance(value, float) and not math.isfinite(value):
        raise Refused(f"{key} is {value}: give a finite number.", key)
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Refused(
                f"{key} is {told(value)}, which is no text in UTF-8: give another name.", key
            ) from None
        if "\0" in value:
            raise Refused(f"{key} is {told(value)}, which holds a NUL: leave it out.", key)


def _plain(value: Any) -> dict[str, Any]:
    return vars(value) if isinstance(value, Namespace) else dict(value)


def _wanted(hint: Any) -> str:
    names = [base.__name__ for base in bases(hint)]
    return f"a subclass of {' or '.join(names)}" if names else ""


def _no_class(hint: Any) -> str:
    wanted = _wanted(hint)
    return f"which is no class: {f'give {wanted}' if wanted else 'functions are never taken'}."
