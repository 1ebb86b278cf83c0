"""YAML as a file of a run or an option holds it: plain data of a bounded size, every key once.

A text is looked at before anything is made of it, for a few letters can stand for more than a
machine holds.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from lt_lightning.errors import one_sentence
from lt_lightning.runs.files import read_whole

_Fast: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C one is ten times faster
_MOST = 4 * 2**20  # bytes; the longest config has 10 KiB
_DEEPEST = 64
_PARTS = 100_000
_DIGITS = 300  # of a number; the largest real one has 309 before its point
_NUMBER = re.compile(r"[-+]?\.?[0-9]")
_ANY_NUMBER = re.compile(
    r"(?:0o[0-7_]+|[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9_]+)(?:[eE][-+]?[0-9_]+)?)$"
)
_TIME = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_NULLS = ("", "~", "null")
_MARKS = ("#", "&", "!", "-", "%", ".")  # with which a text may begin that has no content
_LEAVES = re.compile(r"[^\[\]{}\n&*!]{0,300}")  # what can stand for nothing but itself


class _Loader(_Fast):  # type: ignore[misc]  # chosen above
    """The safe loader, which takes dates for text and refuses a key that stands twice."""

    yaml_implicit_resolvers = {  # noqa: RUF012  # as in yaml's own classes
        letter: [(tag, rule) for tag, rule in rules if not tag.endswith(":timestamp")]
        for letter, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return a mapping of unique keys; of two the first would be lost."""
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    problem = f"the key {key.value!r} stands there twice"
                    raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
                seen.add(key.value)
        found: dict[Any, Any] = super().construct_mapping(node, deep)
        return found


class _Dumper(yaml.SafeDumper):
    """The safe dumper, which puts texts in quotes that any reader of a config takes for numbers.

    That of the command line takes 1e3 for one, as YAML 1.2 does; the safe loader does not.
    """


_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", _ANY_NUMBER, list("-+.0123456789"))


class Endless(ValueError):
    """A text that is no plain data, or stands for more than can be looked at."""


def read_yaml(file: Path) -> Any:
    """Return the content of a YAML file.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it is no YAML, or too large, too deep, or without an end for a part of it
            names the whole; the message says which.
    """
    text = read_whole(file, _MOST)
    try:
        return load_text(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"it is no valid YAML{_reason(error)}") from error


def load_text(text: str) -> Any:
    """Return what a YAML text stands for: every key once, dates and times as text.

    Raises:
        Endless: if it is more than plain data.
        yaml.YAMLError: if it is no YAML.
    """
    check_text(text)
    return yaml.load(times_in_quotes(text), _Loader)


def times_in_quotes(text: str) -> str:
    """Return a YAML text in which every time, such as 10:00:00, is in quotes.

    The loaders have them as YAML 1.1 had, as numbers to the base of 60.
    """
    if not _TIME.search(text):
        return text
    # Not the C loader, whose marks count bytes.
    events = [e for e in yaml.parse(text, yaml.SafeLoader) if isinstance(e, yaml.ScalarEvent)]
    for event in reversed(events):
        if event.style in (None, "") and event.end_mark and _TIME.fullmatch(event.value):
            end = event.end_mark.index  # an event begins at its anchor
            text = f"{text[: end - len(event.value)]}'{event.value}'{text[end:]}"
    return text


def yaml_text(content: Any) -> str:
    """Return plain data as YAML, which every reader of a config reads as what it is."""
    options: Any = {"default_flow_style": False, "allow_unicode": True, "sort_keys": False}
    return str(yaml.dump(content, Dumper=_Dumper, **options))


def check_text(text: str) -> None:
    """Refuse what must not be loaded.

    Raises:
        Endless: if it is more than plain data.
        yaml.YAMLError: if it is no YAML.
    """
    if _LEAVES.fullmatch(text):
        return
    level, parts = 0, 0
    # Before it is built, for the C loader ends the process on too many levels.
    for event in yaml.parse(text, _Fast):
        parts += 1
        level += isinstance(event, yaml.CollectionStartEvent)
        level -= isinstance(event, yaml.CollectionEndEvent)
        if level > _DEEPEST or parts > _PARTS:
            raise Endless(f"it has more than {_DEEPEST} levels or {_PARTS:,} parts")
        _check_event(event)
    root = yaml.compose(text, _Fast)
    if root is not None and _size(root, {}) > _PARTS:
        raise Endless(f"it has more than {_PARTS:,} parts")


def _check_event(event: yaml.Event) -> None:
    where = "" if event.start_mark is None else f"line {event.start_mark.line + 1}: "
    tag = ""
    if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
        tag = event.tag or ""
    if tag.startswith("tag:"):
        raise Endless(f"{where}the tag {tag[:80]!r} is not taken")
    if not isinstance(event, yaml.ScalarEvent) or event.style not in (None, ""):
        return
    if len(event.value) > _DIGITS and _NUMBER.match(event.value):
        raise Endless(f"{where}a number of {len(event.value):,} digits is too long")


def walk(content: Any, each: Callable[[str], None]) -> None:
    """Call `each` with every text of a content, keys but for names of options left out."""
    if isinstance(content, str):
        each(content)
    elif isinstance(content, dict):
        for value in content.values():
            walk(value, each)
    elif isinstance(content, list | tuple):
        for value in content:
            walk(value, each)


def check_value(text: str) -> None:
    """Refuse a value that the parser must not look into.

    It takes a text for YAML, or for the file of that name, where an option may hold more than one
    value.

    Raises:
        Endless: if it is more than plain data, or names a pipe or a device.
    """
    if text.strip() == "-":
        raise Endless("- is the standard input, which is not read")
    try:
        path = Path(text)
        special = path.exists() and not (path.is_file() or path.is_dir())
        if "\n" not in text and path.is_file() and path.stat().st_size > _MOST:
            return  # no config; what it is, is said where it is read
    except (OSError, ValueError):  # no name of a file
        special = False
    if special:
        raise Endless(f"{text} is a pipe or a device, give a file or a folder")
    try:
        check_text(text)
    except yaml.YAMLError:
        return  # a text as any other


def is_hidden_null(text: str) -> bool:
    """Return whether YAML takes a text for nothing that does not say so: a comment, or a mark."""
    if text.strip().lower() in _NULLS or not text.lstrip().startswith(_MARKS):
        return False
    try:
        return yaml.load(text, _Loader) is None
    except (yaml.YAMLError, RecursionError):
        return False


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """Return how many parts a node stands for, every alias written out."""
    if id(node) in known:
        if known[id(node)] < 0:
            raise Endless("a part of it holds itself")
        return known[id(node)]
    known[id(node)] = -1
    inner: list[yaml.Node] = []
    if isinstance(node, yaml.SequenceNode):
        inner = node.value
    elif isinstance(node, yaml.MappingNode):
        inner = [part for pair in node.value for part in pair]
    known[id(node)] = 1 + sum(_size(part, known) for part in inner)
    return known[id(node)]


def _reason(error: Exception) -> str:
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return f" ({one_sentence(str(error))[:200]})"
    return f" (line {error.problem_mark.line + 1}: {one_sentence(error.problem or '')})"
