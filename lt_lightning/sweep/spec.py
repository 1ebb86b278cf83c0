"""What a sweep is asked for: groups of rows over data, imbalance ratios and seeds."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lt_lightning.errors import Refused
from lt_lightning.nearest import nearest
from lt_lightning.runs import packaged
from lt_lightning.runs.yaml_file import read_yaml
from lt_lightning.sweep.job import OWN_KEYS

FOLDER = "sweeps"  # of the package's own, among its configs
_NAME = re.compile(r"\w[\w.+-]*")
_KEY = re.compile(r"[A-Za-z_]\w*(\.\w+)*\+?")
_CHANGE = re.compile(r"[A-Za-z_]\w*(\.\w+)*")
RATIO = "data.profile.imbalance_ratio"
_OWN = {
    "config": "name it as a row, or by over",
    "runs": "give --runs",
    "name": "give --name, or the row a name",
    "version": "give seeds",
    "seed_everything": "give seeds",
    "ckpt_path": "start the sweep again to go on with its runs",
}
_SHOWING = ("print_config",)
_LONG = 10**80
_DIGITS = 9  # of a seed
_MOST = 10_000  # runs of a sweep
_GROUP = ("rows", "data", "ratios", "seeds", "over", "set")
_FILE = (*_GROUP, "groups")
_ROW = ("config", "name", "over", "set", "post_hoc")


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        name: of the row, in the names of its runs.
        configs: its files, each lies over those before it, and data over the first of them alone.
        options: over the files, by their dotted keys.
        post_hoc: changes without training that its finished run is tested with, by class name.
    """

    name: str
    configs: tuple[str, ...]
    options: tuple[tuple[str, str], ...] = ()
    post_hoc: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    """Rows, each over all data, ratios and seeds.

    Attributes:
        rows: the rows.
        data: configs of data, or none: that of the row.
        ratios: imbalance ratios, at least 1, or none: that of the config.
        seeds: of the runs, not negative.
    """

    rows: tuple[Row, ...]
    data: tuple[str, ...]
    ratios: tuple[str, ...]
    seeds: tuple[int, ...]


def read_spec(name: str) -> list[Group]:
    """Return the groups of a file, or of one of the package by its name, such as survey.

    Raises:
        Refused: if there is none, or if it is not understood.
    """
    file = Path(name)
    if not file.is_file():
        found = packaged.find(f"{FOLDER}/{name.removesuffix('.yaml')}")
        if found is None:
            own = [key.removeprefix(f"{FOLDER}/") for key in packaged.configs() if FOLDER in key]
            near = nearest(name, own)
            hint = f"did you mean {near}?" if near else f"there are {', '.join(own)}."
            raise Refused(f"There is no sweep {name}: give a .yaml file; {hint}")
        file = found
    try:
        content = read_yaml(file)
    except (OSError, ValueError) as error:
        raise Refused(f"The sweep {file} cannot be read ({error}): correct it there.") from error
    try:
        return groups_of(content)
    except Refused as refused:
        raise Refused(f"{file}: {refused.sentence}") from refused


def groups_of(content: Any) -> list[Group]:
    """Return the groups that a file, or the command line, asks for.

    Args:
        content: rows, data, ratios, seeds, over and set; or `groups`, a list of such. What stands
            beside it holds for all: over and set of a group lie over those, all else replaces it.

    Raises:
        Refused: if something is missing, unknown or out of its range.
    """
    content = _mapping(content, "a sweep", _FILE)
    shared = {key: value for key, value in content.items() if key != "groups"}
    parts = content.get("groups", [{}])
    if not isinstance(parts, list) or not parts:
        raise Refused("groups holds no list of groups: give - rows: [ce, bbn], say.")
    found = [_group(shared, _mapping(part, "a group", _GROUP)) for part in parts]
    size = sum(
        len(one.rows) * len(one.data or " ") * len(one.ratios or " ") * len(one.seeds)
        for one in found
    )
    if size > _MOST:
        raise Refused(f"It asks for {size:,} runs: ask for {_MOST:,} at most.")
    return found


def digest(groups: Sequence[Group]) -> str:
    """Return what stands for all that is asked for."""
    return hashlib.sha256(repr(list(groups)).encode()).hexdigest()[:16]


def _group(shared: Mapping[str, Any], own: Mapping[str, Any]) -> Group:
    part = {**shared, **own}
    rows = _list(part, "rows")
    if not rows:
        raise Refused("rows names no config: give [ce, bbn], say.")
    given = [_config(one) for level in (shared, own) for one in _list(level, "over")]
    over = tuple(dict.fromkeys(reversed(given)))[::-1]  # of a file given twice the last counts
    later = _options(own.get("set"))
    again = {key for key, _ in later if not key.endswith("+")}  # a plus adds to a list
    options = (*(pair for pair in _options(shared.get("set")) if pair[0] not in again), *later)
    found = tuple(_row(row, over, options) for row in rows)
    names = [row.name for row in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise Refused(
            f"Two rows are called {twice}: leave one out, or give it a `name` in a sweep file."
        )
    ratios = tuple(dict.fromkeys(_ratio(one) for one in _list(part, "ratios")))
    if ratios and any(key.rstrip("+") == RATIO for row in found for key, _ in row.options):
        raise Refused(f"{RATIO} is set beside ratios, and would be that of all: give one of both.")
    return Group(
        rows=found,
        data=tuple(dict.fromkeys(_config(one, "data") for one in _list(part, "data"))),
        ratios=ratios,
        seeds=tuple(dict.fromkeys(_seed(one) for one in _list(part, "seeds"))) or (0,),
    )


def _row(row: Any, over: tuple[str, ...], options: tuple[tuple[str, str], ...]) -> Row:
    row = {"config": row} if isinstance(row, str) else _mapping(row, "a row", _ROW)
    if not isinstance(row.get("config"), str):
        raise Refused(f"A row has the config {row.get('config')!r}: give a name such as ce.")
    given = row.get("name")
    name = Path(row["config"]).stem if given is None else str(given)
    if not _NAME.fullmatch(name):
        remedy = "give it another `name`"
        if given is None:
            remedy = f"rename {row['config'][:80]}, or give the row a `name` in a sweep file"
        raise Refused(
            f"A row is called {name[:80]!r}: use letters, digits, _ . + and - alone, a letter or "
            f"digit first; {remedy}."
        )
    own = tuple(_config(one) for one in _list(row, "over"))
    return Row(
        name=name,
        configs=(_config(row["config"]), *over, *own),
        options=(*options, *_options(row.get("set"))),
        post_hoc=tuple(dict.fromkeys(_change(one) for one in _list(row, "post_hoc"))),
    )


def _mapping(value: Any, what: str, known: Sequence[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Refused(f"{what.capitalize()} is {value!r}: it holds {', '.join(known)}.")
    for key in value:
        if key not in known:
            near = nearest(str(key), known)
            hint = f"did you mean {near}?" if near else f"there are {', '.join(known)}."
            raise Refused(f"{what.capitalize()} has no {key!r}: {hint}")
    return value


def _list(part: Mapping[str, Any], key: str) -> list[Any]:
    value = part.get(key)
    return [] if value is None else list(value) if isinstance(value, list | tuple) else [value]


def _config(name: Any, part: str = "") -> str:
    """Return the name of a config as `lt fit --config` takes it."""
    if not isinstance(name, str) or not name:
        raise Refused(f"{name!r} is no config: give a name such as ce, or a .yaml file.")
    inside = f"{part}/{name}" if part else name
    if Path(name).is_file():
        return str(Path(name))
    found = inside if packaged.find(inside) else name if packaged.find(name) else None
    if found is None:
        near = nearest(inside, packaged.configs())
        hint = f"did you mean {near}?" if near else "lt configs lists them."
        raise Refused(f"There is no config {name}: {hint}")
    return found.removeprefix("configs/").removesuffix(".yaml")


def _options(value: Any) -> tuple[tuple[str, str], ...]:
    if value is None:
        return ()
    if not isinstance(value, dict):
        raise Refused(f"set is {value!r}: give keys and values, trainer.max_epochs: 30, say.")
    pairs = [(key, one) for key, given in value.items() for one in _each(key, given)]
    for key, one in pairs:
        if not isinstance(key, str) or isinstance(one, dict | list) or not _KEY.fullmatch(key):
            told = f"{str(key)[:80]}: {str(one)[:80]!r}"
            raise Refused(f"set has {told}; give a dotted key and one value.")
        if key.rstrip("+") in _SHOWING or key.rpartition(".")[2] == "help":
            raise Refused(f"set has {key}, which shows something and trains nothing: leave it out.")
        if key.rstrip("+") in OWN_KEYS:
            raise Refused(
                f"set has {key}, which the sweep gives to each run: {_OWN[key.rstrip('+')]}."
            )
    return tuple((key, _text(one)) for key, one in pairs)


def _each(key: Any, given: Any) -> list[Any]:
    """Return the values of an option: a key with a plus may have several to add."""
    return given if str(key).endswith("+") and isinstance(given, list) else [given]


def _change(name: Any) -> str:
    """Return the class of a change without training, by its name."""
    if not isinstance(name, str) or not _CHANGE.fullmatch(name):
        raise Refused(f"post_hoc has {str(name)[:80]!r}: give a class such as LogitAdjuster.")
    return name


def _text(value: Any) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _ratio(value: Any) -> str:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):  # the last is that of a whole number
        number = 0.0
    if isinstance(value, bool) or not 1 <= number < float("inf"):
        raise Refused(f"A ratio is {_told(value)}: give 1 or more, such as 100.")
    short = f"{number:g}"
    return short if float(short) == number else repr(number)


def _told(value: Any) -> str:
    """Return a value for a message, in which a number of thousands of digits has no place."""
    long = isinstance(value, int) and abs(value) >= _LONG
    return "a number of more than 80 digits" if long else repr(value)[:80]


def _seed(value: Any) -> int:
    text = value if isinstance(value, str) else _told(value)
    if isinstance(value, bool) or not text.isascii() or not text.isdecimal() or len(text) > _DIGITS:
        raise Refused(
            f"A seed is {_told(value)}: give a whole number from 0, of {_DIGITS} digits at most."
        )
    return int(text)
