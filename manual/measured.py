"""Tables of what was measured, and the line of a config's head, from the runs of results/."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from manual import bands
from manual.published import Published
from manual.runs import Folder, Row, rows

# How a change without training is called in results.json.
POST_HOC = {
    "TauNormalization": "tau_norm",
    "NearestMean": "ncm",
    "LogitAdjuster": "logit_adjustment",
    "MultiplicativeLogitAdjuster": "multiplicative_logit_adjustment",
}
# What a table of one config shows.
USUAL = ("epochs", "macro", "many", "medium", "worst", "skewed", "ece", "minutes", "n")


@dataclass(frozen=True)
class Cells:
    """One line of a table: what it is called, its runs, and the name of their test."""

    label: str
    row: Row
    test: str

    @property
    def changed(self) -> bool:
        """Whether it is a change after training; the effect that a run was trained for is none."""
        return "+" in self.test and "tde" not in self.test

    @property
    def finding(self) -> str:
        """By what name results/folders.yaml tells why it is off its band."""
        return f"{self.row.name} {self.test}"

    @property
    def macro(self) -> float:
        """The mean over classes and seeds, in percent."""
        return 100 * float(statistics.mean(test["overall"]["acc_macro"] for test in self.tests))

    @property
    def published(self) -> list[Published]:
        """What papers have of it on these data, the one that a table shows first."""
        return bands.beside(self.row, self.test)

    @property
    def tests(self) -> list[dict[str, Any]]:
        """The test of each run that has it."""
        return [run["evaluations"][self.test] for run in self.row.tested(self.test)]


def mean(values: Sequence[float], digits: int = 1) -> str:
    """Return a mean, with the standard deviation of several values."""
    shown = f"{statistics.mean(values):.{digits}f}"
    return shown if len(values) < 2 else f"{shown} ± {statistics.stdev(values):.{digits}f}"


def _percent(read: Callable[[dict[str, Any]], float | None]) -> Callable[[Cells], str]:
    def shown(cells: Cells) -> str:
        values = [read(test) for test in cells.tests]
        told = [100 * value for value in values if value is not None]
        return mean(told) if told else ""

    return shown


def _overall(key: str) -> Callable[[Cells], str]:
    return _percent(lambda test: test["overall"][key])


def _group(name: str) -> Callable[[Cells], str]:
    return _percent(lambda test: test["groups"].get(name, {}).get("acc"))


def as_skewed(test: dict[str, Any]) -> float:
    """Return the accuracy on images that are as skewed as those trained on."""
    images = sum(row["training_images"] for row in test["classes"])
    hits = sum(row["training_images"] * row["accuracy"] for row in test["classes"])
    return float(hits / images)


def _nll(cells: Cells) -> str:
    return mean([test["overall"]["nll"] for test in cells.tests], digits=3)


def _minutes(cells: Cells) -> str:
    """Return the minutes of training; a change without training adds those of a test."""
    if cells.changed:
        return "+ test"
    if cells.row.name in cells.row.folder.paused:
        return "paused"
    return f"{'+ ' if cells.row.after_another else ''}{_mean_minutes(cells.row):.1f}"


def _mean_minutes(row: Row) -> float:
    return statistics.mean(run["training"]["seconds"] / 60 for run in row.runs)


def _of_training(key: str) -> Callable[[Cells], str]:
    return lambda cells: f"{cells.row.runs[0]['training'][key]:,}"


def _multiply_adds(cells: Cells) -> str:
    """Return the millions of multiply-adds of an image, of runs that recorded them."""
    count = cells.row.runs[0]["training"].get("multiply_adds")
    return "" if count is None else f"{count / 1e6:.1f} M"


def _published(cells: Cells) -> str:
    found = cells.published
    return f"{found[0].value}" if found else ""


def _difference(cells: Cells) -> str:
    found = cells.published
    return f"{cells.macro - found[0].value:+.1f}" if found else ""


def _band(cells: Cells) -> str:
    within = bands.band(cells.published)
    if within is None:
        return ""
    off = bands.off(cells.macro, within)
    return f"{within[0]:.1f} to {within[1]:.1f}{f', off by {off:+.1f}' if off else ''}"


# The columns that a table may have: what stands above them, and how a cell is made.
_COLUMNS: dict[str, tuple[str, Callable[[Cells], str]]] = {
    "epochs": ("epochs", _of_training("epochs")),
    "all": ("all", _overall("acc")),
    "macro": ("macro", _overall("acc_macro")),
    "many": ("many", _group("many")),
    "medium": ("medium", _group("medium")),
    "few": ("few", _group("few")),
    "worst": ("worst class", _overall("acc_worst")),
    "skewed": ("as skewed", _percent(as_skewed)),
    "ece": ("ECE", _overall("ece")),
    "nll": ("NLL", _nll),
    "parameters": ("parameters", _of_training("parameters")),
    "multiply_adds": ("multiply-adds", _multiply_adds),
    "minutes": ("minutes", _minutes),
    "published": ("published", _published),
    "difference": ("difference", _difference),
    "band": ("band", _band),
    "n": ("n", lambda cells: str(len(cells.tests))),
}


def table(columns: Sequence[str], lines: Sequence[Cells], first: str = "run") -> str:
    """Return a table; `classes` among its columns is a column of each class.

    A column `macro@ncm_euclidean=nearest_mean` is that of the change of that name, under that head.

    Raises:
        KeyError: if there is no such column.
        ValueError: if a run lacks a test that is asked for.
    """
    heads, parts = [first], [[cells.label for cells in lines]]
    for column in columns:
        name, _, called = column.partition("=")
        name, _, change = name.partition("@")
        asked = [_changed(cells, change) for cells in lines]
        if name == "classes":
            head, cells_of = _classes(asked)
        else:
            head, cells_of = [_COLUMNS[name][0]], [[_COLUMNS[name][1](cells) for cells in asked]]
        heads += [called.replace("_", " ")] if called else head
        parts += cells_of
    shown = ["| " + " | ".join(cells) + " |" for cells in zip(*parts, strict=True)]
    return "\n".join(
        ["| " + " | ".join(heads) + " |", "|---|" + "---:|" * (len(heads) - 1), *shown]
    )


def _changed(cells: Cells, change: str) -> Cells:
    found = Cells(cells.label, cells.row, f"last+{change}") if change else cells
    if not found.tests:
        raise ValueError(f"{cells.row.folder.name}/{cells.row.name} has no test {found.test}.")
    return found


def _classes(lines: Sequence[Cells]) -> tuple[list[str], list[list[str]]]:
    """Return the training images of each class, and the accuracies of each class."""
    first = lines[0].tests[0]["classes"]
    heads = [str(one["training_images"]) for one in first]
    return heads, [[_of_class(at)(cells) for cells in lines] for at in range(len(heads))]


def _of_class(at: int) -> Callable[[Cells], str]:
    return _percent(lambda test: test["classes"][at]["accuracy"])


def asked(text: str) -> str:
    """Return the table that a text asks for: its columns, and lines of `label: folder/row [test]`.

    Raises:
        KeyError: if there is no such column or row.
        ValueError: if a row lacks the test.
    """
    columns, *lines = text.strip().splitlines()
    found = []
    for line in lines:
        label, _, where = line.rpartition(": ")
        name, _, test = where.partition(" ")
        found.append(Cells(label, rows()[name], test or "last"))
    return table(columns.split(), found, first="method")


def beside(name: str) -> str:
    """Return what the rows of a folder are compared with, and why one is off its band."""
    found = []
    for cells in lines_of(name):
        for row in cells.published[:1]:
            found.append(f"- {row.method}, {row.value}: {row.source}; {row.made}.")
        finding = cells.row.folder.findings.get(cells.finding)
        found += [f"- {cells.finding} is off its band: {finding}"] if finding else []
    return "\n".join(found)


def unexplained(lines: Sequence[Cells]) -> list[str]:
    """Return the `folder/row test` that are off their band without a finding, or have one in it."""
    return [
        f"{cells.row.folder.name}/{cells.finding}"
        for cells in lines
        if (bands.off(cells.macro, bands.band(cells.published)) != 0)
        != (cells.finding in cells.row.folder.findings)
    ]


def lines_of(name: str) -> list[Cells]:
    """Return the rows of a folder and their changes after training."""
    return [
        Cells(row.name, row, test)
        for row in rows().values()
        if row.folder.name == name
        for test in dict.fromkeys(test for run in row.runs for test in run["evaluations"])
        if test.startswith("last")
    ]


def of_config(stem: str, post_hoc: str | None) -> list[tuple[Folder, list[Cells]]]:
    """Return the tests that belong to a config, by their folders."""
    found: dict[str, list[Cells]] = {}
    for row in rows().values():
        tests = dict.fromkeys(test for run in row.runs for test in run["evaluations"])
        for test in tests:
            own = row.config == stem and (test == "last" or "tde" in test)
            changed = post_hoc is not None and row.config == "ce" and f"+{post_hoc}" in test
            if own or changed:
                label = f"{row.name}{test.removeprefix('last').replace('+', ', ')}"
                found.setdefault(row.folder.name, []).append(Cells(label, row, test))
    return [(lines[0].row.folder, lines) for lines in found.values()]


def head_lines(stem: str, post_hoc: str | None) -> list[str]:
    """Return what the head of a config says of its own rows: the first of each folder."""
    found = []
    for folder, lines in of_config(stem, post_hoc):
        own = {"ce"} if post_hoc else {stem, f"ce_{stem}", *folder.configs}
        shown = [cells for cells in lines if cells.row.name in own]
        found += [f"Measured here: {_in_words(cells)}" for cells in shown[:1]]
    return found or ["Measured here: nothing yet."]


def _in_words(cells: Cells) -> str:
    row, training = cells.row, cells.row.runs[0]["training"]
    told = [f"{row.folder.images}: macro {_COLUMNS['macro'][1](cells)} (n {len(cells.tests)})"]
    told += ["on the run of ce"] if cells.changed else []
    told += [row.folder.recipe]
    if not cells.changed:
        told += [f"after {row.pretraining}"] if row.pretraining else []
        alone = row.after_another and "stage 2" not in row.folder.recipe
        told += [f"{'stage 2 alone, ' if alone else ''}epochs: {training['epochs']}"]
        told += [] if row.name in row.folder.paused else [f"{_minutes(cells)} min"]
    on = [_of_all(row, name) for name in ("device", "precision")]
    told += [f"{training['parameters']:,} parameters", *on]
    return f"{', '.join(told)}."


def _of_all(row: Row, name: str) -> str:
    """Return what the runs of a row were trained on, each kind once."""
    return " and ".join(dict.fromkeys(run["hardware"][name] for run in row.runs))


def on_cifar10(stem: str, post_hoc: str | None, pixels: str) -> list[float]:
    """Return the macro accuracy in percent of each row of a config on CIFAR-10-LT, ratio 100."""
    return [
        100 * statistics.mean(test["overall"]["acc_macro"] for test in cells.tests)
        for folder, lines in of_config(stem, post_hoc)
        for cells in lines
        if (folder.data, folder.ratio, folder.pixels) == ("CIFAR-10-LT", 100, pixels)
    ]
