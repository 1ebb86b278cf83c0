"""What papers and their codes report, and where one of our cells stands beside it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from lt_lightning.report.cell import Cell
from lt_lightning.report.dataset import Data
from lt_lightning.runs.evaluations import parts
from lt_lightning.runs.yaml_file import read_yaml

_INSIDE = Path(__file__).parents[1] / "results" / "published.yaml"  # in an installed package
_BESIDE = Path(__file__).parents[2] / "results" / "published.yaml"  # in a checkout
_NAMES = {"cifar10": "CIFAR-10-LT", "cifar100": "CIFAR-100-LT"}
_LENGTH = "trainer.max_epochs"
_TEST_IMAGES = 10_000  # of CIFAR-10 and CIFAR-100


@dataclass(frozen=True)
class Published:
    """One row of `results/published.yaml`; accuracies and ECE in percent."""

    method: str
    source: str
    title: str
    evidence: str
    values: dict[str, dict[int, float]]
    config: str = ""
    post_hoc: str = ""
    backbone: str = ""
    epochs: str = ""
    post_hoc_options: dict[str, Any] = field(default_factory=dict)
    split: str = ""
    selection: str = ""
    caveat: str = ""
    note: str = ""
    ece: dict[str, dict[int, float]] = field(default_factory=dict)
    misprints: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict)

    def accuracy(self, data: Data) -> float | None:
        """Return the accuracy on these data, or none."""
        value = self.values.get(data.published or "", {}).get(round(data.ratio))
        return value if data.ratio == round(data.ratio) else None

    def epochs_on(self, data: Data) -> tuple[int, ...]:
        """Return the epochs of each stage on these data, nothing where they are not known."""
        name = _NAMES.get(data.published or "", "")
        on_these = re.search(rf"(\d+) on {re.escape(name)}\b", self.epochs) if name else None
        told = on_these or re.match(r"(?:about )?(\d+(?: \+ \d+)*)(?:, |$)", self.epochs)
        return tuple(map(int, told.group(1).split(" + "))) if told else ()

    @property
    def caveats(self) -> str:
        """All that a comparison must know, in one line."""
        parts = (
            self.backbone,
            f"epochs: {self.epochs}" if self.epochs else "",
            self.split,
            self.selection,
            self.caveat,
            self.note,
        )
        return "; ".join(part for part in parts if part)


@cache
def published() -> tuple[Published, ...]:
    """Return all rows, in their order."""
    file = _INSIDE if _INSIDE.is_file() else _BESIDE
    content = read_yaml(file)
    rows = []
    for row in content["rows"]:
        source = content["sources"][row["source"]]
        told = {**source, **row}
        told["epochs"] = str(told.get("epochs", ""))
        rows.append(Published(**told))
    return tuple(rows)


def all_beside(cell: Cell) -> list[tuple[Published, float]]:
    """Return each published row of the cell's method with its accuracy, the survey's first."""
    entry = cell.first
    if not entry.setting.is_published or entry.weights not in ("last", "best"):
        return []
    change = parts(entry.label)[1]  # with its value: tau-normalisation by 2 is another change
    found = []
    for row in published():
        value = row.accuracy(cell.data)
        if row.config == entry.setting.base and row.post_hoc == change and value:
            found.append((row, value))
    return found


def beside(cell: Cell) -> tuple[Published, float] | None:
    """Return the published row that a table shows beside the cell, with its accuracy."""
    return next(iter(all_beside(cell)), None)


def departures(cell: Cell, row: Published) -> list[str]:
    """Return in what the cell was made otherwise than the published number."""
    found = []
    epochs = {entry.run.content["training"]["epochs"] for entry in cell.entries}
    stages = row.epochs_on(cell.data)
    theirs = stages[-1:] if cell.first.took_over and len(stages) > 1 else stages
    if theirs and epochs != {sum(theirs)}:
        found.append(f"{_listed(epochs)} epochs, not {' + '.join(map(str, theirs))}")
    images = {entry.evaluation["images"] for entry in cell.entries}
    if (cell.data.published or "").startswith("cifar") and images != {_TEST_IMAGES}:
        found.append(f"{_listed(images)} test images, not {_TEST_IMAGES}")
    changes = [k for k in cell.first.setting.recipe_changes if k != _LENGTH or not theirs]
    for key, value in row.post_hoc_options.items():
        ours = {entry.asked.get(key) for entry in cell.entries} - {value}
        found += [f"{key} {_listed(ours)}, not {value}"] if ours else []
    if cell.first.took_over:
        found.append("began with the weights of another run")
    if changes:
        found.append(f"changed: {', '.join(changes)}")
    return found


def _listed(values: set[Any]) -> str:
    return " or ".join(sorted(map(str, values)))


def misprints(rows: Sequence[Published]) -> list[str]:
    """Return one sentence for each misprint of the rows."""
    found = []
    for row in rows:
        for data, ratios in row.misprints.items():
            for ratio, misprint in ratios.items():
                name, value = _NAMES.get(data, data), row.values[data][ratio]
                found.append(
                    f"{row.method}, {name} ratio {ratio}: {value}, where "
                    f"{misprint['printed']} is printed: {misprint['why']}."
                )
    return found
