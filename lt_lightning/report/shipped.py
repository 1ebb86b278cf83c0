"""What the package's own files make of a run: they, with what its classes take by themselves."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path, PurePath
from typing import Any

from lt_lightning.report.options import flat
from lt_lightning.runs import argv, packaged
from lt_lightning.runs.class_path import shortened
from lt_lightning.runs.watching import compared
from lt_lightning.runs.yaml_file import read_yaml

DEFAULTS = Path(__file__).with_name("defaults.yaml")  # by class, written by its own tool
TRAINER, DATA = "Trainer", "LongTailDataModule"
_ALL_BATCHES = {"limit_train_batches": 1.0}  # Lightning's null is filled in later
_PIXELS = 32  # of a source that has its size from the backbone, where that asks for none
PARTS = ("trainer", "model", "data")
RECIPES = "recipe"
_FRAGMENTS = ("data", "trainer", "logger")


def name_of(file: PurePath) -> str | None:
    """Return the name of the package's file that one of a command line is called by, or none.

    Of a recipe or fragment also its folder counts.
    """
    folder = file.parent.name
    name = f"{folder}/{file.stem}" if folder in (RECIPES, *_FRAGMENTS) else file.stem
    return name if packaged.find(name) is not None else None


def is_fragment(file: PurePath) -> bool:
    """Return whether a file lies where those do that say where and on what a run is trained."""
    return file.parent.name in _FRAGMENTS


@cache
def raw(name: str) -> dict[str, str]:
    """Return the options that matter of a config of the package; none of one that it has not."""
    return flat(_content(name))


@cache
def made(names: tuple[str, ...], source: str = "") -> dict[str, str]:
    """Return the options that matter of a run by files of the package.

    Args:
        names: of the files, in their order.
        source: the class of the source of its images, where it is another one than theirs.
    """
    content = laid(names)
    data = _mapping(content.get("data"))
    if source and _class_name(data.get("source")) != source:
        data = {**data, "source": {"class_path": source}}
    return flat(filled({**content, "data": data}))


def laid(names: Sequence[str]) -> dict[str, Any]:
    """Return the content of files of the package, laid over one another."""
    content: dict[str, Any] = {}
    for name in names:
        content = _over(content, _content(name))
    return content


def seen(values: Mapping[str, str]) -> dict[str, str]:
    """Return options with the normalisation that is meant where none is given."""
    if "data.normalize" in values:
        return dict(values)
    return {**flat({"data": {"normalize": _whole({"class_path": "Normalize"})}}), **values}


def _content(name: str) -> dict[str, Any]:
    file = packaged.find(name)
    return {} if file is None else _mapping(read_yaml(file))


def source_of(config: Mapping[str, Any]) -> str:
    """Return the class of the source of a run's images, or nothing."""
    return _class_name(_mapping(config.get("data")).get("source"))


def filled(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config in which nothing is left open, so that two can be compared.

    An option that a run does not know, for it is of an earlier version, is as if it were not given.
    """
    config = compared(config)
    trainer = _over({**_defaults()[TRAINER], **_ALL_BATCHES}, _given(config.get("trainer")))
    data = _over(_defaults()[DATA], _mapping(config.get("data")))
    source = _mapping(data.get("source"))
    size = {"image_size": _PIXELS}
    data["source"] = {**source, "init_args": {**size, **_given(source.get("init_args"))}}
    rest = {key: config.get(key) for key in ("model", "pretrain")}
    return {key: _whole(part) for key, part in {**rest, "trainer": trainer, "data": data}.items()}


def usual(name: str) -> dict[str, Any]:
    """Return what a class of the package takes by itself; nothing of another one."""
    return _defaults().get(name, {})


def _whole(part: Any) -> Any:
    """Return a part of a config with the defaults of its classes."""
    if isinstance(part, list):
        return [_whole(value) for value in part]
    if not isinstance(part, dict):
        return part
    name = _class_name(part)
    if not name:
        return {key: _whole(value) for key, value in part.items()}
    options = {**_mapping(part.get("init_args")), **_mapping(part.get("dict_kwargs"))}
    below = {key: _whole(v) for key, v in _over(_defaults().get(name, {}), options).items()}
    return {"class_path": name, "init_args": {k: v for k, v in below.items() if v is not None}}


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return options with others laid over them, as the parser does it.

    Of a class in the place of another the options stay that both know.
    """
    found = dict(below)
    for key, value in above.items():
        under = found.get(key)
        if not (isinstance(value, dict) and isinstance(under, dict)):
            found[key] = value
            continue
        name = _class_name(value)
        if name and name != _class_name(under):
            known = _defaults().get(name, {})
            kept = {k: v for k, v in _mapping(under.get("init_args")).items() if k in known}
            under = {"init_args": kept}
        found[key] = _over(under, value)
    return found


@cache
def _defaults() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = read_yaml(DEFAULTS)
    return found


def _given(options: Any) -> dict[str, Any]:
    """Return the options that are not none."""
    return {key: value for key, value in _mapping(options).items() if value is not None}


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _class_name(value: Any) -> str:
    path = value.get("class_path") if isinstance(value, dict) else None
    return shortened(path) if isinstance(path, str) else ""


def files_of(command: Sequence[str]) -> list[PurePath]:
    """Return the config files of a command line."""
    return [PurePath(file) for file in argv.files(command)]
