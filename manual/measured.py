"""Tables of what was measured (results/) and what papers report (results/published.yaml)."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from manual.source import ROOT

RESULTS = ROOT / "results"
# How a change without training is called in results.json.
POST_HOC = {
    "TauNormalization": "tau_norm",
    "NearestMean": "ncm",
    "LogitAdjuster": "logit_adjustment",
    "MultiplicativeLogitAdjuster": "multiplicative_logit_adjustment",
}
_HEAD = "| run | epochs | macro | many | medium | worst class | as skewed | ECE | minutes |"
_DATA = {"cifar10": "CIFAR-10-LT", "cifar100": "CIFAR-100-LT", "imagenet_lt": "ImageNet-LT"}
_EVIDENCE = {
    "survey": "the survey's table",
    "repository": "read in the authors' code",
    "slides": "authors' slides or figures",
    "secondary": "quoted by others",
    "recalled": "from memory",
}

Number = tuple[str, str, int, float, str, str]


@dataclass(frozen=True)
class Run:
    """One folder of results/."""

    name: str
    content: dict[str, Any]

    @property
    def config(self) -> str:
        """The config whose method it is: of that name, else the first that it was given."""
        own = self.name.rsplit("/", 1)[1]
        if (ROOT / "configs" / f"{own}.yaml").is_file():
            return own
        return str(self.content["config"][0]).removesuffix(".yaml")


@cache
def runs() -> tuple[Run, ...]:
    """Return all measured runs."""
    files = sorted(RESULTS.rglob("results.json"))
    return tuple(
        Run(str(file.parent.relative_to(RESULTS)), json.loads(file.read_text("utf-8")))
        for file in files
    )


def table(rows: Sequence[tuple[str, Run, str]]) -> str:
    """Return a table of tests: a label, the run, and the name of its test."""
    shown = [_row(label, run, test) for label, run, test in rows]
    return "\n".join([_HEAD, "|---|" + "---:|" * 8, *shown])


def _row(label: str, run: Run, test: str) -> str:
    found, training = run.content["evaluations"][test], run.content["training"]
    groups = found["groups"]
    values = [
        found["overall"]["acc_macro"],
        *(groups[name]["acc"] if name in groups else None for name in ("many", "medium")),
        found["overall"]["acc_worst"],
        _as_skewed(found["classes"]),
        found["overall"]["ece"],
    ]
    cells = ["" if value is None else f"{100 * value:.1f}" for value in values]
    minutes = f"{training['seconds'] / 60:.1f}"
    return f"| {label} | {training['epochs']} | {' | '.join(cells)} | {minutes} |"


def _as_skewed(classes: Sequence[dict[str, Any]]) -> float:
    """Return the accuracy on images that are as skewed as those trained on."""
    images = sum(row["training_images"] for row in classes)
    hits = sum(row["training_images"] * row["accuracy"] for row in classes)
    return float(hits / images)


def chosen(text: str) -> str:
    """Return the table that lines of `label: run [test]` ask for.

    Raises:
        KeyError: if there is no such run or test.
    """
    by_name, rows = {run.name: run for run in runs()}, []
    for line in text.strip().splitlines():
        label, _, where = line.partition(": ")
        name, _, test = where.partition(" ")
        rows.append((label, by_name[name], test or "last"))
    return table(rows)


def of_config(stem: str, post_hoc: str | None) -> list[tuple[str, Run, str]]:
    """Return the tests that belong to a config."""
    found = []
    for run in runs():
        for test in run.content["evaluations"]:
            own = run.config == stem and (test == "last" or "tde" in test)
            changed = post_hoc is not None and run.config == "ce" and f"+{post_hoc}" in test
            if own or changed:
                label = (
                    f"{run.name.rsplit('/', 1)[1]}{test.removeprefix('last').replace('+', ', ')}"
                )
                found.append((label, run, test))
    return found


@cache
def _published() -> dict[str, Any]:
    text = (RESULTS / "published.yaml").read_text(encoding="utf-8")
    content: dict[str, Any] = yaml.safe_load(text)
    return content


def published(
    stem: str, post_hoc: str | None = None
) -> Iterator[tuple[str, str, int, float, str, str]]:
    """Yield method, data, ratio, accuracy in percent, source and how it was made."""
    content = _published()
    for row in content["rows"]:
        changes = (None, "without_tde") if post_hoc is None else (post_hoc,)
        config = stem if post_hoc is None else "ce"
        if row.get("config") != config or row.get("post_hoc") not in changes:
            continue
        told = {**content["sources"][row["source"]], **row}
        made = [
            str(told[key]) for key in ("backbone", "selection", "caveat", "note") if key in told
        ]
        made.insert(1, f"epochs: {told.get('epochs', 'not stated')}")
        source = f"{told['title']} ({_EVIDENCE[told['evidence']]})"
        for data, ratios in row["values"].items():
            for ratio, value in ratios.items():
                yield row["method"], _DATA.get(data, data), ratio, value, source, "; ".join(made)
