"""The runs of results/: what was measured, with the seeds of one row together."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import PurePath
from typing import Any

import yaml

from manual.source import ROOT

RESULTS = ROOT / "results"
_SEED = re.compile(r"_seed\d+$")
_VERSION = re.compile(r"\d+|seed\d+")


@dataclass(frozen=True)
class Folder:
    """What the runs of one folder of results/ have alike."""

    name: str
    data: str
    pixels: str
    recipe: str
    ratio: int | None = None
    configs: dict[str, str] = field(default_factory=dict)
    paused: tuple[str, ...] = ()  # rows whose seconds count a time in which the run stood still
    full_length: bool = False  # trained as long as the papers did, so held against their numbers
    findings: dict[str, str] = field(default_factory=dict)  # why a `row test` is outside its band

    @property
    def images(self) -> str:
        """The data in words."""
        ratio = "" if self.ratio is None else f" ratio {self.ratio}"
        return f"{self.data}{ratio}, {self.pixels}"


@dataclass(frozen=True)
class Row:
    """The runs of one folder that differ in their seed alone, in the order of their names."""

    folder: Folder
    name: str
    runs: tuple[dict[str, Any], ...]

    @property
    def config(self) -> str:
        """The config whose method it is: as told, its name, or the first that it was given."""
        if self.name in self.folder.configs:
            return self.folder.configs[self.name]
        if (ROOT / "configs" / f"{self.name}.yaml").is_file():
            return self.name
        return str(self.runs[0]["config"][0]).removesuffix(".yaml")

    @property
    def after_another(self) -> bool:
        """Whether it is the second stage of a run that stands in a row of its own."""
        return any("stage1_ckpt" in word for word in self.runs[0]["command"])

    @property
    def pretraining(self) -> str:
        """The run whose backbone it began with, which is in none of its numbers; or nothing."""
        given = dict(_options(self.runs[0]["command"]))
        place = given.get("model.backbone_init", "null")
        return "" if place == "null" else f"a pre-training by {_method(PurePath(place))}"

    def tested(self, test: str) -> tuple[dict[str, Any], ...]:
        """Return the runs that have a test of that name."""
        return tuple(run for run in self.runs if test in run["evaluations"])


def _options(command: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the options of a command, whose values stand behind them or behind a `=`."""
    for word, after in zip(command, [*command[1:], ""], strict=True):
        if word.startswith("--"):
            key, equals, value = word[2:].partition("=")
            yield key.replace(".init_args.", "."), value if equals else after


def _method(place: PurePath) -> str:
    """Return by what a run pre-trained, of runs/NAME, runs/NAME/0 or runs/sweep/ROW/seed0/pretrain.

    A sweep calls a row by its data too, and a file of weights lies in checkpoints/ of its run.
    """
    parts = [part for part in place.parts if part != "checkpoints" and part[-5:] != ".ckpt"]
    inside = parts[-1] == "pretrain"
    parts = parts[:-1] if inside else parts
    if len(parts) > 1 and _VERSION.fullmatch(parts[-1]):
        parts = parts[:-1]
    return f"that of {parts[-1]}" if inside else parts[-1]


@cache
def folders() -> dict[str, Folder]:
    """Return the folders of results/ as results/folders.yaml describes them, in its order."""
    told = yaml.safe_load((RESULTS / "folders.yaml").read_text("utf-8"))
    return {name: Folder(name, **words) for name, words in told.items()}


@cache
def rows() -> dict[str, Row]:
    """Return all rows by `folder/row`, in the order of the folders.

    Raises:
        KeyError: if a folder is not described.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for file in sorted(RESULTS.rglob("results.json")):
        name = f"{file.parent.parent.name}/{_SEED.sub('', file.parent.name)}"
        found.setdefault(name, []).append(json.loads(file.read_text("utf-8")))
    order = list(folders())
    made = [
        Row(folders()[name.split("/")[0]], name.split("/")[1], tuple(runs))
        for name, runs in found.items()
    ]
    made.sort(key=lambda row: order.index(row.folder.name))
    return {f"{row.folder.name}/{row.name}": row for row in made}
