"""The files after --config, looked into before anything is built from them."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from lt_lightning.errors import Refused
from lt_lightning.nearest import nearest
from lt_lightning.runs import argv as words
from lt_lightning.runs import class_path, packaged
from lt_lightning.runs.yaml_file import Endless, check_value, is_hidden_null, read_yaml, walk

Files = dict[Path, dict[str, Any]]
_KINDS = {type(None): "nothing", list: "a list", str: "a text"}
_NONE = object()
_PACKED = ("init_args", "dict_kwargs")  # levels of a file that the command line has not


def paths(argv: Sequence[str]) -> list[Path]:
    """Return the files after --config or -c, in their order.

    Raises:
        Refused: if a name is empty.
    """
    found = words.files(argv)
    if "" in found:
        raise Refused("--config is empty: give a .yaml file.", "config")
    return [Path(file) for file in found]


def check(argv: Sequence[str]) -> Files:
    """Return the content of each file.

    Raises:
        Refused: if one cannot be read, or does not hold keys and values.
    """
    files = {path: _content(path) for path in paths(argv)}
    for path, content in files.items():
        try:
            class_path.look(content)
        except Refused as refused:
            raise Refused(f"{path}: {refused.sentence}", refused.key) from refused
    _look_into_values(argv)
    return files


def _look_into_values(argv: Sequence[str]) -> None:
    for item in words.items(argv):
        if item.value is None or item.is_file:
            continue
        _check_value(item.value, item.key)
        if item.flag and is_hidden_null(item.value):
            told = class_path.told(item.value)
            raise Refused(
                f"{item.key} is {told}, which YAML takes for nothing: begin it with another "
                "character, as a path does by ./, or write null.",
                item.key,
            )
        if "class_path" in item.value:
            with suppress(yaml.YAMLError):  # the parser says what is wrong
                class_path.look(yaml.safe_load(item.value), item.key)


def _check_value(value: str, key: str) -> None:
    try:
        check_value(value)
    except Endless as endless:
        raise Refused(f"{key} cannot be read ({endless}): give another value.", key) from endless


def owner(files: Files, argv: Sequence[str], key: str) -> Path | None:
    """Return the file that gives `key`, or none where the command line does."""
    if words.first_below(argv, key):
        return None
    return next((path for path in reversed(files) if key in set(keys(files[path]))), None)


def naming_method(files: Files) -> set[str]:
    """Return the names of the files that say which method it is."""
    models = {str(path): content.get("model") for path, content in files.items()}
    return {
        name
        for name, model in models.items()
        if isinstance(model, str) or (isinstance(model, dict) and "class_path" in model)
    }


def _content(path: Path) -> dict[str, Any]:
    if not path.is_file():
        other = "is no file" if path.exists() else "does not exist"
        what = "is a folder" if path.is_dir() else other
        raise Refused(f"The config file {path} {what}; {_others(path)}", "config")
    try:
        content = read_yaml(path)
        walk(content, check_value)
    except UnicodeDecodeError as error:
        told = f"The config file {path} cannot be read (it is no text in UTF-8): give another."
        raise Refused(told) from error
    except OSError as error:
        reason = error.strerror or error
        raise Refused(f"The config file {path} cannot be read ({reason}): give another.") from error
    except ValueError as error:
        problem = str(error).removeprefix("it ")
        raise Refused(f"The config file {path} {problem}: correct it there.") from error
    if not isinstance(content, dict):
        kind = _KINDS.get(type(content), "a single value")
        raise Refused(
            f"The config file {path} holds {kind}: it must hold keys and values, such as "
            "trainer: {max_epochs: 200}."
        )
    bad = next(_wrong_keys(content), _NONE)
    if bad is not _NONE:
        told = f"The config file {path} has the key {bad!r}, which is no text: put it in quotes."
        raise Refused(told)
    if "config" in content:
        raise Refused(f"The config file {path} names a config: give it after --config instead.")
    return content


def _wrong_keys(content: Any, inside: bool = False) -> Iterator[Any]:
    """Yield the keys that are no text; the epochs of a schedule may be numbers."""
    if isinstance(content, list):
        for item in content:
            yield from _wrong_keys(item, True)
    elif isinstance(content, dict):
        for key, item in content.items():
            if not isinstance(key, str) and not (inside and type(key) is int):
                yield key
            yield from _wrong_keys(item, True)


def _others(path: Path) -> str:
    folder = path if path.is_dir() else path.parent
    known = [str(file) for file in sorted(folder.glob("*.yaml"))] if folder.is_dir() else []
    if not path.suffix:
        known += packaged.configs()
    near = nearest(str(path), known)
    if near:
        return f"did you mean {near}?"
    return f"there are {', '.join(known[:12])}." if known else "give a .yaml file that does."


def keys(content: dict[str, Any], above: str = "") -> Iterator[str]:
    """Yield the dotted keys of a content as the command line has them."""
    for name, value in content.items():
        inner = above and (name in _PACKED or name == "class_path")
        key = above.rstrip(".") if inner else f"{above}{name}"
        yield key
        if isinstance(value, dict):
            yield from keys(value, f"{key}.")


def leaves(content: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted keys that have a value, a class at the key of its option, and the values."""
    for name, value in content.items():
        inner = above and (name in _PACKED or name == "class_path")
        key = above.rstrip(".") if inner else f"{above}{name}"
        if isinstance(value, dict):
            yield from leaves(value, f"{key}.")
        else:
            yield key, value
