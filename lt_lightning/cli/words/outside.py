"""Classes of other packages by their short names: the entry points of what is installed.

They are read when a command needs them, and a module is imported only where its name is written,
or where `lt methods` lists it. What is imported becomes known to the parser as our own classes
are, and passes the same gate; a path in a file says the same without any of this.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import distributions
from typing import Any

from lt_lightning.cli.words.catalog import exported
from lt_lightning.errors import Refused, UserError
from lt_lightning.nearest import nearest
from lt_lightning.runs.class_path import named

PREFIX = "lt_lightning."
# Group of entry points: the section of `lt methods` that it belongs to.
GROUPS = {
    "methods": "methods",
    "losses": "losses",
    "samplers": "samplers",
    "backbones": "backbones",
    "sources": "data",
}


@dataclass(frozen=True)
class Outside:
    """An entry point of another package.

    Attributes:
        group: without `lt_lightning.`: methods, losses, samplers, backbones or sources.
        name: what is written for its class, and what the class is called.
        path: the dotted name of the class.
        package: the distribution that declares it.
    """

    group: str
    name: str
    path: str
    package: str

    def __str__(self) -> str:
        return f"the entry point {self.name} of {self.package} ({PREFIX}{self.group})"

    @property
    def section(self) -> str | None:
        """The section of `lt methods`, or none where the group is not ours."""
        return GROUPS.get(self.group)

    def load(self) -> type[Any]:
        """Import the class, after which the parser knows it by its name.

        Raises:
            UserError: if there is none, or none that can stand where its group is asked for.
        """
        if self.section is None:
            near = nearest(self.group, GROUPS)
            known = f"did you mean {PREFIX}{near}?" if near else f"there are {', '.join(GROUPS)}."
            raise UserError(f"{self} is in a group that is none of ours: {known}")
        try:
            kind = named(self.path)
        except UserError as error:
            raise UserError(f"{self} does not work, {error}") from error
        from lt_lightning.runs import gate

        try:
            gate.check(str(self), kind, _base(self.group))
        except Refused as refused:
            raise UserError(refused.sentence) from refused
        if kind.__name__ != self.name:
            raise UserError(
                f"{self} names the class {kind.__name__}: declare it under the name of its class."
            )
        if not _is_public(kind):
            raise UserError(
                f"{self} names a class of the private module {kind.__module__}: import it in the "
                "package above."
            )
        found: type[Any] = kind
        return found


def _base(group: str) -> Any:
    """Return what the classes of a group are subclasses of."""
    from lt_lightning.backbones import Backbone
    from lt_lightning.data import Source
    from lt_lightning.losses import Loss, WeightRule
    from lt_lightning.methods import LongTailModule
    from lt_lightning.samplers import SamplingRule

    bases = {
        "methods": LongTailModule,
        "losses": Loss | WeightRule,
        "samplers": SamplingRule,
        "backbones": Backbone,
        "sources": Source,
    }
    return bases[group]


def _is_public(kind: type[Any]) -> bool:
    """Return whether the parser takes a class by its name, where no private module hides it."""
    parts = kind.__module__.split(".")
    inner = (k for k, part in enumerate(parts) if k and part.startswith("_"))
    above = (sys.modules.get(".".join(parts[:k])) for k in range(1, next(inner, len(parts)) + 1))
    return any(vars(module).get(kind.__name__) is kind for module in above if module)


def found() -> tuple[Outside, ...]:
    """Return the entry points of all installed packages for our groups, and near misses of them.

    A package whose list of entry points is damaged has none.
    """
    declared: dict[str, list[Outside]] = {}
    for distribution in distributions():
        with suppress(Exception):  # of any package, written by any tool
            text = distribution.read_text("entry_points.txt") or ""
            if f"[{PREFIX}" not in text.replace(" ", ""):
                continue
            package = str(distribution.metadata["Name"])
            points = [
                Outside(
                    point.group.removeprefix(PREFIX),
                    point.name,
                    point.value.partition("[")[0].strip().replace(":", "."),
                    package,
                )
                for point in distribution.entry_points
                if point.group.startswith(PREFIX)
            ]
            key = re.sub(r"[-_.]+", "-", package).lower()  # one package however it is spelt
            declared.setdefault(key, points)  # the first on the path is what is imported
    return tuple(point for points in declared.values() for point in dict.fromkeys(points))


def take(argv: Sequence[str]) -> list[Outside]:
    """Import the classes whose names a command line, or a file on it, gives.

    One that cannot be imported is passed over: what is written may be a name of something else.
    Where a class was meant the parser finds none, and `trouble` says why.

    Returns:
        Those passed over whose name is one of ours too, or of another package: the parser would
        take that one. `namesakes.check` refuses it where the class was meant.
    """
    declared = found()
    if not declared:
        return []
    written = set(texts(argv))
    doubtful = list[Outside]()
    for point in declared:
        if point.name in written:
            try:
                point.load()
            except UserError:
                doubtful += [point] if namesake(point, declared) else []
    return doubtful


def texts(argv: Sequence[str]) -> Iterator[str]:
    """Yield every value on a command line and in its files."""
    import yaml  # here, for `lt methods` does without

    from lt_lightning.runs import argv as words
    from lt_lightning.runs import config_files
    from lt_lightning.runs.yaml_file import check_text, read_yaml, walk

    kept: list[str] = []
    for item in words.items(argv):
        if item.value is not None and not item.is_file:
            kept.append(item.value)
            with suppress(yaml.YAMLError, ValueError):  # the parser says what is wrong
                check_text(item.value)
                walk(yaml.safe_load(item.value), kept.append)
    for path in config_files.paths(argv):
        with suppress(OSError, ValueError):
            walk(read_yaml(path), kept.append)
    yield from kept


def trouble(name: str) -> str | None:
    """Return why the class of that name is not known, or none where no package declares it."""
    for point in found():
        if point.name == name:
            try:
                point.load()
            except UserError as error:
                return str(error)
    return None


def sections() -> dict[str, str]:
    """Return the section of each name that another package declares."""
    return {point.name: point.section for point in found() if point.section}


def names_below(kinds: Sequence[type[Any]]) -> list[str]:
    """Return the names that other packages declare for a place of these bases."""
    from lt_lightning.runs.hints import bases

    return [
        point.name
        for point in found()
        if point.section and any(base in kinds for base in bases(_base(point.group)))
    ]


def namesake(point: Outside, declared: Sequence[Outside]) -> str | None:
    """Return what else has the name of an entry point in its group, or none."""
    if point.section and point.name in exported(point.section):
        return f"{PREFIX}{point.section}.{point.name}"
    others = (
        other
        for other in declared
        if (other.group, other.name) == (point.group, point.name) and other.path != point.path
    )
    other = next(others, None)
    return None if other is None else f"{other.path} of {other.package}"
