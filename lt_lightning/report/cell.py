"""The repetitions of one method on one data set, and all such cells of a set of runs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lt_lightning.report.changes import change_of, chosen
from lt_lightning.report.dataset import Data, apart
from lt_lightning.report.entry import Entry, entries_of
from lt_lightning.report.labels import labels
from lt_lightning.report.measures import ALL, Measure, measures_of
from lt_lightning.report.run import Run
from lt_lightning.report.setting import Setting
from lt_lightning.report.statistics import Difference, Summary, paired, summarise


@dataclass(frozen=True)
class Cell:
    """One row on one data set: an entry for each seed.

    Attributes:
        method: the name of the row: what was trained, which weights, what was changed after it.
        data: the data set.
        entries: one for each seed.
        trained: what was trained alone; the rows of one training share it.
        left_out: runs of which a newer one has the same setting, precision and seeds.
    """

    method: str
    data: Data
    entries: tuple[Entry, ...]
    trained: str
    left_out: tuple[Path, ...] = ()

    @property
    def first(self) -> Entry:
        """The entry of the first seed."""
        return self.entries[0]

    @property
    def title(self) -> str:
        """The method, with what a picture of it must not keep quiet."""
        return f"{self.method} (oracle)" if self.first.oracle else self.method

    @property
    def remedy(self) -> tuple[str, str]:
        """What counts as a method: a training with a change; its checkpoints are one method."""
        return self.trained, self.first.post_hoc

    @property
    def ranked(self) -> bool:
        """Whether it competes: oracles, runs without labels, a test that chose or is cut do not."""
        return not any(
            e.oracle or e.self_supervised or e.chosen_on_test or e.part_of_test
            for e in self.entries
        )

    @property
    def notes(self) -> list[str]:
        """What a reader must know of the numbers."""
        found = []
        if any(entry.oracle for entry in self.entries):
            found.append("oracle")
        if any(entry.self_supervised for entry in self.entries):
            found.append("no labels")
        if any(entry.chosen_on_test for entry in self.entries):
            found.append("chosen on test")
        elif any(entry.test_seen for entry in self.entries):
            found.append("test seen")
        if any(entry.part_of_test for entry in self.entries):
            found.append("part of test")
        if len({entry.run.precision for entry in self.entries} - {None}) > 1:
            found.append("precisions")
        if self.first.cut:
            found.append("cut")
        return found

    def summary(self, metric: Measure = ALL) -> Summary | None:
        """Return mean and spread of a metric over the seeds that have it."""
        values = [entry.metric(metric) for entry in self.entries]
        return summarise([value for value in values if value is not None])

    def minus(self, other: "Cell", metric: Measure = ALL) -> Difference | None:
        """Return the mean difference over the seeds that both have, or none without one."""
        theirs = {entry.run.seed: entry.metric(metric) for entry in other.entries}
        found = []
        for entry in self.entries:
            mine, their = entry.metric(metric), theirs.get(entry.run.seed)
            if mine is not None and their is not None:
                found.append(mine - their)
        return paired(found)


@dataclass
class Grid:
    """All cells of a set of runs, by method and data set.

    Attributes:
        cells: by method, then by data.
        data_labels: a name for each data set, in the order of the survey's table.
        methods: in the order of their first run.
        left_out: runs of which a newer one has the same setting, precision, data and seeds.
    """

    cells: dict[tuple[str, Data], Cell]
    data_labels: dict[Data, str]
    methods: list[str]
    left_out: list[Path] = field(default_factory=list)

    @classmethod
    def of(cls, runs: Sequence[Run]) -> "Grid":
        """Sort the runs into cells."""
        entries = entries_of(runs)
        found = sorted({entry.data for entry in entries}, key=lambda data: data.order)
        grid = cls({}, apart(found), [])
        for data in found:
            grid._add(data, [entry for entry in entries if entry.data == data])
        order = {method: k for k, method in enumerate(grid.methods)}
        plain = {c.trained for c in grid.cells.values() if c.first.setting.is_baseline}
        grid.methods.sort(key=lambda method: (method not in plain, order[method]))
        return grid

    def _add(self, data: Data, entries: Sequence[Entry]) -> None:
        names = _names(entries)
        sorted_in: dict[str, dict[tuple[object, ...], list[Entry]]] = {}
        for entry in entries:
            places = sorted_in.setdefault(_method(entry, names, entries), {})
            places.setdefault(entry.run.seed, []).append(entry)
        for method, places in sorted_in.items():
            ordered = sorted(places.items(), key=lambda item: str(item[0]))
            newest = [max(same, key=lambda e: e.run.begun) for _, same in ordered]
            older = [e.run.folder for _, same in ordered for e in same if e not in newest]
            self.left_out += [folder for folder in older if folder not in self.left_out]
            trained = names[newest[0].run.folder]
            self.cells[method, data] = Cell(method, data, tuple(newest), trained, tuple(older))
            if method not in self.methods:
                self.methods.append(method)

    @property
    def remedies(self) -> int:
        """How many methods there are."""
        return len({cell.remedy for cell in self.cells.values()})

    def measures(self, data: Data | None = None) -> list[Measure]:
        """Return the numbers that the runs on `data`, or on all, may have."""
        cells = [cell for cell in self.cells.values() if data in (None, cell.data)]
        return measures_of(entry.run.content for cell in cells for entry in cell.entries)

    def column(self, data: Data) -> list[Cell]:
        """Return the cells of a data set, in the order of the methods."""
        return [self.cells[m, data] for m in self.methods if (m, data) in self.cells]

    def podium(self, data: Data, metric: Measure = ALL) -> tuple[set[str], set[str]]:
        """Return the rows with the best and with the second mean of those that compete.

        What is shown as equal shares its place. Nobody is best alone, nor where all are equal.
        """
        means, competing = {}, set()
        for cell in self.column(data):
            summary = cell.summary(metric)
            if cell.ranked and summary is not None:
                means[cell.method] = round(summary.mean, 2)
                competing.add(cell.remedy)
        values = sorted(set(means.values()), reverse=not metric.lower_is_better)
        if len(competing) < 2 or len(values) < 2:
            return set(), set()
        return tuple(  # type: ignore[return-value]
            {m for m, mean in means.items() if values[k : k + 1] == [mean]} for k in (0, 1)
        )

    def baselines(self, data: Data) -> list[Cell]:
        """Return what the others are compared with: cross-entropy, once for each recipe.

        Without any it is the first method that competes.
        """
        cells = [cell for cell in self.column(data) if cell.ranked]
        plain = [cell for cell in cells if cell.first.setting.is_baseline]
        last = [cell for cell in plain if cell.first.label == "last"]
        return [c for c in last if c.first.setting.is_base] or last or plain[:1] or cells[:1]

    def baseline_of(self, cell: Cell) -> Cell | None:
        """Return the baseline whose recipe has most in common with the cell's."""
        recipe = cell.first.setting.recipe
        found = self.baselines(cell.data)
        return max(found, key=lambda one: len(recipe & one.first.setting.recipe), default=None)


def _names(entries: Sequence[Entry]) -> dict[Path, str]:
    """Return what each run is called by what was trained.

    Seeds of several precisions are one row, unless one seed was trained in more than one of them.
    What one subset seed chose are the same images, however often it is trained: where they are
    not, they came from elsewhere, and are no repetition.
    """
    names = labels([(entry.setting, entry.run.folder.resolve().parent.name) for entry in entries])
    found: dict[tuple[Setting, object], set[str | None]] = {}
    for entry in entries:
        found.setdefault((entry.setting, entry.run.seed), set()).add(entry.run.precision)
    apart = {setting for (setting, _), precisions in found.items() if len(precisions) > 1}
    elsewhere = _of_other_images(entries)
    told = {}
    for entry in entries:
        parts = [names[entry.setting]]
        if entry.setting in apart:
            parts.append(entry.run.precision or "unknown precision")
        if entry.setting in elsewhere:
            parts.append(f"images {entry.run.images[:8]}")
        told[entry.run.folder] = ", ".join(parts)
    return told


def _of_other_images(entries: Sequence[Entry]) -> set[Setting]:
    """Return the settings of which one subset seed stands for several sets of training images."""
    found: dict[tuple[Setting, object], set[str]] = {}
    for entry in entries:
        subset = entry.run.content["seeds"]["subset"]
        found.setdefault((entry.setting, subset), set()).add(entry.run.images)
    return {setting for (setting, _), images in found.items() if len(images) > 1}


def _method(entry: Entry, names: dict[Path, str], entries: Sequence[Entry]) -> str:
    """Return the name of a row: the setting, which weights, and what was done after training."""
    name = f"{names[entry.run.folder]}{', cut' if entry.cut else ''}{chosen(entry)}"
    change, told = change_of(entry, entries)
    conditions = entry.told_conditions if told else entry.conditions
    if conditions and not entry.on_other_images:
        name += f", {conditions}"
    return f"{name} + {change}" if change else name
