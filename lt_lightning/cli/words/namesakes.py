"""Names that an entry point of another package shares with a class that the parser would take.

Of two classes of one name the parser says so; of a class and an entry point whose class is called
otherwise, or cannot be imported, it knows the first alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from jsonargparse import Namespace

from lt_lightning.cli.words.outside import Outside, found, namesake
from lt_lightning.errors import Refused
from lt_lightning.runs import argv as words
from lt_lightning.runs import config_files
from lt_lightning.runs.yaml_file import read_yaml

_LEVELS = ("init_args", "dict_kwargs")  # of a file; the command line has them not


def check(argv: Sequence[str], options: Namespace, doubtful: Sequence[Outside]) -> None:
    """Refuse a bare name that was taken for the class of one of two.

    Args:
        argv: the command line.
        options: what was parsed from it.
        doubtful: the entry points that cannot be used, but whose name is also another's.

    Raises:
        Refused: with both.
    """
    if not doubtful:
        return
    written, by_name = _written(argv), {point.name: point for point in doubtful}
    for key, path in _classes(options):
        name = written.get(key)
        if name in by_name and path.endswith(f".{name}"):
            point = by_name[name]
            raise Refused(
                f"{key} is {name!r}, the name of {namesake(point, found())} and of {point.path} "
                f"({point}): write the path of the one you mean.",
                key,
            )


def _classes(options: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield key and path of each class of the options."""
    content = vars(options) if isinstance(options, Namespace) else options
    if not isinstance(content, Mapping):
        return
    if isinstance(content.get("class_path"), str):
        yield key, content["class_path"]
    for name, item in content.items():
        yield from _classes(item, _below(key, name))


def _written(argv: Sequence[str]) -> dict[str, Any]:
    """Return what was written for each key, the last of it: files first, then the keys."""
    last: dict[str, Any] = {}
    for path in config_files.paths(argv):
        with suppress(OSError, ValueError):  # was told before
            last.update(_leaves(read_yaml(path)))
    given = (item for item in words.items(argv) if not item.is_file)
    last.update({item.key.removesuffix(".class_path"): item.value for item in given})
    return last


def _leaves(content: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(content, dict):
        for name, item in content.items():
            yield from _leaves(item, key if name == "class_path" else _below(key, name))
    else:
        yield key, content


def _below(key: str, name: Any) -> str:
    return key if name in _LEVELS else f"{key}.{name}".lstrip(".")
