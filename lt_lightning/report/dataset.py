"""Which data a run was trained on: its name, how long-tailed it is, its place in the survey."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from os.path import normpath
from pathlib import Path
from typing import Any

from lt_lightning.report import options, shipped
from lt_lightning.report.run import Run

RATIOS = (100, 50, 10)  # the survey's, in its order
_PROFILE, _RATIO = "data.profile.", "imbalance_ratio"
_GROUPS = "ShotGroups(many_above=100, few_below=20)"  # what the data module takes by itself
_LARGEST = 1e30  # of a ratio that a table can show
_RATIOS = (*RATIOS, 20, 200)
_OWN = ("ImageFolder", "ImageList", "ImageTable")  # sources of one's own pictures
_NAMES = {"CIFAR10": "CIFAR-10", "CIFAR100": "CIFAR-100"}
_CIFAR10 = "airplane automobile bird cat deer dog frog horse ship truck".split()
_HEADS = {"cifar10": (10, 5000), "cifar100": (100, 500)}


@dataclass(frozen=True)
class Data:
    """A data set and its imbalance; equal ones are compared with each other.

    Attributes:
        name: as it is shown, without the ratio.
        ratio: images of the largest class over those of the smallest, as the profile names it.
        published: the key of `results/published.yaml`, or none.
        classes: a digest of source, profile and class names, so that two folders stay apart.
        options: those of the profile that are not usual, and the rule of the groups where it is
            another one: what differs in them is no repetition.
    """

    name: str
    ratio: float
    published: str | None
    classes: str
    options: tuple[tuple[str, str], ...] = ()

    @property
    def label(self) -> str:
        """The name with the ratio."""
        return f"{self.name}, ratio {self.ratio:g}" if self.ratio > 1 else self.name

    @property
    def order(self) -> tuple[int, float, str]:
        """Where it stands: as in the survey's table, all others after it by name."""
        if self.published in ("cifar100", "cifar10"):
            first = 0 if self.published == "cifar100" else 1
            return first, -self.ratio, self.name
        return 2, -self.ratio, self.name


def data_of_each(runs: Sequence[Run]) -> list[Data]:
    """Return the data of each run; of a folder that has several names, by its first one.

    The same pictures lie in one folder here and in another on the next machine: runs that were
    trained on the same images tell that two names are of one folder.
    """
    found = [data_of(run) for run in runs]
    same: dict[tuple[Data, str], tuple[Data, str]] = {}  # names and images, and what they go with

    def most(node: tuple[Data, str]) -> tuple[Data, str]:
        while node in same:
            node = same[node]
        return node

    for run, data in zip(runs, found, strict=True):
        images = run.content["data"]["fingerprint"]
        one, other = most((data, "")), most((replace(data, name=""), str(images)))
        if images is not None and one != other:
            same[other] = one
    names: dict[tuple[Data, str], str] = {}
    return [replace(data, name=names.setdefault(most((data, "")), data.name)) for data in found]


def data_of(run: Run) -> Data:
    """Return the data of a run, by the name of the folder that it found them in."""
    facts, config = run.content["data"], _mapping(run.config.get("data"))
    source = facts.get("source") or _class_name(config.get("source")) or ""
    profile = facts.get("profile") or _class_name(config.get("profile")) or ""
    names, counts = facts["class_names"], facts["class_counts"]
    known = _published(source, names, counts)
    ratio = known[1] if known else _ratio(counts, facts, config)
    if known:
        name = _NAMES[known[0].upper()] + "-LT"
    else:
        name = _folder(source, config) or _NAMES.get(source, source) or "data"
        name += f", {profile.lower()} profile" if profile not in ("", "Exponential", "AsIs") else ""
        name += "" if source else f" of {len(names)} classes"
    digest = hashlib.sha256("\n".join([source, profile, *map(str, names)]).encode()).hexdigest()
    return Data(name, ratio, known[0] if known else None, digest[:8], _options(run, profile))


def apart(found: Sequence[Data]) -> dict[Data, str]:
    """Return a label for each, which no two share; with the options in which they differ."""
    unique = list(dict.fromkeys(found))
    labels: dict[Data, str] = {}
    taken: dict[str, int] = {}
    for data in unique:
        alike = [dict(other.options) for other in unique if other.label == data.label]
        keys = sorted({key for one in alike for key in one})
        told = [
            f"{key} {dict(data.options).get(key, 'as usual')}"
            for key in keys
            if len({one.get(key) for one in alike}) > 1
        ]
        label = ", ".join([data.label, *told])
        taken[label] = taken.get(label, 0) + 1
        labels[data] = label if taken[label] == 1 else f"{label} ({taken[label]})"
    return labels


def _options(run: Run, profile: str) -> tuple[tuple[str, str], ...]:
    """Return the options of the data that are not usual, but for the ratio, which has its place."""
    init = _mapping(_mapping(_mapping(run.config.get("data")).get("profile")).get("init_args"))
    if not run.config:
        given = options.given([str(word) for word in run.content["command"]])
        init = {key.removeprefix(_PROFILE): text for key, text in given if key.startswith(_PROFILE)}
    usual = shipped.usual(profile)
    found = {key: str(value) for key, value in init.items() if value is not None}
    told = {k: v for k, v in found.items() if k != _RATIO and v != str(usual.get(k))}
    rule = run.content["data"]["group_rule"]
    return tuple(sorted({**told, **({"groups": rule} if rule != _GROUPS else {})}.items()))


def exponential(head: int, classes: int, ratio: float) -> list[int]:
    """Return the class sizes of the field's CIFAR-LT: int(head * (1/ratio)^(j/(C-1)))."""
    return [int(head * (1 / ratio) ** (j / (classes - 1))) for j in range(classes)]


def _published(source: str, names: list[str], counts: list[int]) -> tuple[str, float] | None:
    """Return the key and the ratio, where the class sizes are those of CIFAR-LT to the image."""
    key = source.lower()
    if key not in _HEADS:
        key = "cifar10" if names == _CIFAR10 else ""
    if key not in _HEADS:
        return None
    classes, head = _HEADS[key]
    for ratio in _RATIOS:
        if counts == exponential(head, classes, ratio):
            return key, float(ratio)
    return None


def _ratio(counts: list[int], facts: dict[str, Any], config: dict[str, Any]) -> float:
    stated = _mapping(_mapping(config.get("profile")).get("init_args"))
    value = facts.get("imbalance_ratio", stated.get("imbalance_ratio"))
    filled = [count for count in counts if count > 0]
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _LARGEST:
        # Counts are rounded down; one image more or less is still what was asked for.
        most, least = (max(filled), min(filled)) if filled else (1, 1)
        if not filled or most / (least + 1) <= value <= (most + 1) / least:
            return float(value)
    return round(max(filled) / min(filled), 1) if filled else 1.0


def _folder(source: str, config: dict[str, Any]) -> str:
    """Return the name of the folder of one's own pictures, or nothing."""
    root = config.get("root")
    name = Path(normpath(root)).name if source in _OWN and isinstance(root, str) else ""
    return "" if name == ".." else name  # the folder above where the run was started has any name


def _mapping(value: Any) -> dict[str, Any]:
    """Return a part of a config, nothing where it is no mapping."""
    return value if isinstance(value, dict) else {}


def _class_name(value: Any) -> str | None:
    path = value.get("class_path") if isinstance(value, dict) else None
    return path.rsplit(".", 1)[-1] if isinstance(path, str) else None
