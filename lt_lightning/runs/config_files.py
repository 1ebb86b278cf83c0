"""The files after --config, looked into before anything is built from them."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from lt_lightning.errors import Refused, one_sentence
from lt_lightning.nearest import nearest
from lt_lightning.runs import argv as words
from lt_lightning.runs import gate

Files = dict[Path, dict[str, Any]]
_KINDS = {type(None): "nothing", list: "a list", str: "a text"}
_PACKED = ("init_args", "dict_kwargs")  # levels of a file that the command line has not


class _Loader(yaml.SafeLoader):
    """The safe loader, which also refuses a key that stands twice: the first would be lost."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return a mapping of unique keys."""
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    problem = f"the key {key.value!r} stands there twice"
                    raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep)


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
            gate.look(content)
        except Refused as refused:
            raise Refused(f"{path}: {refused.sentence}", refused.key) from refused
    _look_into_values(argv)
    return files


def _look_into_values(argv: Sequence[str]) -> None:
    for item in words.items(argv):
        if "class_path" in (item.value or ""):
            with suppress(yaml.YAMLError):  # the parser says what is wrong
                gate.look(yaml.load(item.value or "", _Loader), item.key)


def owner(files: Files, argv: Sequence[str], key: str) -> Path | None:
    """Return the file that gives `key`, or none where the command line does."""
    if words.first_below(argv, key):
        return None
    return next((path for path in reversed(files) if key in set(_keys(files[path]))), None)


def _content(path: Path) -> dict[str, Any]:
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise Refused(f"The config file {path} {what}; {_others(path)}", "config")
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise Refused(f"The config file {path} cannot be read ({reason}): give another.") from error
    except yaml.YAMLError as error:
        raise Refused(
            f"The config file {path} is no valid YAML ({_reason(error)}): correct it there."
        ) from error
    if not isinstance(content, dict):
        kind = _KINDS.get(type(content), "a single value")
        raise Refused(
            f"The config file {path} holds {kind}: it must hold keys and values, such as "
            "trainer: {max_epochs: 200}."
        )
    return content


def _reason(error: yaml.YAMLError) -> str:
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return one_sentence(str(error))
    return f"line {error.problem_mark.line + 1}: {one_sentence(error.problem or '')}"


def _others(path: Path) -> str:
    folder = path if path.is_dir() else path.parent
    known = [str(file) for file in sorted(folder.glob("*.yaml"))] if folder.is_dir() else []
    near = nearest(str(path), known)
    if near:
        return f"did you mean {near}?"
    return f"there are {', '.join(known[:12])}." if known else "give a .yaml file that does."


def _keys(content: dict[str, Any], above: str = "") -> Iterator[str]:
    """Yield the dotted keys as the command line has them."""
    for name, value in content.items():
        inner = above and (name in _PACKED or name == "class_path")
        key = above.rstrip(".") if inner else f"{above}{name}"
        yield key
        if isinstance(value, dict):
            yield from _keys(value, f"{key}.")
