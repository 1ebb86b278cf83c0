"""What papers report: results/published.yaml."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from manual.runs import RESULTS

_DATA = {"cifar10": "CIFAR-10-LT", "cifar100": "CIFAR-100-LT", "imagenet_lt": "ImageNet-LT"}
_EVIDENCE = {
    "survey": "the survey's table",
    "repository": "read in the authors' code",
    "slides": "authors' slides or figures",
    "secondary": "quoted by others",
    "recalled": "from memory",
}


@dataclass(frozen=True)
class Published:
    """One number: an accuracy in percent, where it was read, and how it was made.

    Attributes:
        config: the config of this package that trains it, or nothing.
        change: what was done after training, as results.json calls it, or nothing.
    """

    method: str
    data: str
    ratio: int
    value: float
    source: str
    made: str
    epochs: str
    config: str
    change: str

    @property
    def of_200_epochs(self) -> bool:
        """Whether it was trained for 200 epochs; a pre-training and a second stage may be added."""
        return re.match(r"200\b", self.epochs) is not None


@cache
def _content() -> dict[str, Any]:
    text = (RESULTS / "published.yaml").read_text(encoding="utf-8")
    content: dict[str, Any] = yaml.safe_load(text)
    return content


def of_config(stem: str, post_hoc: str | None = None) -> Iterator[Published]:
    """Yield the published numbers of a config, or of a change of `ce` without training."""
    config = stem if post_hoc is None else "ce"
    for row in all_rows():
        plain = row.change in ("", "without_tde")
        own = plain if post_hoc is None else row.change.startswith(post_hoc)
        if row.config == config and own:
            yield row


@cache
def all_rows() -> tuple[Published, ...]:
    """Return all published numbers, in their order."""
    return tuple(_numbers())


def _numbers() -> Iterator[Published]:
    content = _content()
    for row in content["rows"]:
        told = {**content["sources"][row["source"]], **row}
        made = [
            str(told[key]) for key in ("backbone", "selection", "caveat", "note") if key in told
        ]
        made.insert(1, f"epochs: {told.get('epochs', 'not stated')}")
        source = f"{told['title']} ({_EVIDENCE[told['evidence']]})"
        for data, ratios in row["values"].items():
            for ratio, value in ratios.items():
                yield Published(
                    row["method"],
                    _DATA.get(data, data),
                    ratio,
                    value,
                    source,
                    "; ".join(made),
                    str(told.get("epochs", "not stated")),
                    row.get("config", ""),
                    row.get("post_hoc", ""),
                )
