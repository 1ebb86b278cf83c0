"""The survey's table: methods over data sets and ratios, our numbers beside the published ones."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from lt_lightning.report.cell import Cell, Grid
from lt_lightning.report.dataset import RATIOS, Data
from lt_lightning.report.published import Published, beside, departures, misprints
from lt_lightning.report.statistics import Summary

NOTE_TEXTS = {
    "oracle": "an oracle: it uses data that a method may not have, and is not ranked",
    "no labels": "trained without labels; classes by the nearest mean of its features; not ranked",
    "chosen on test": "the weights were chosen on the test split; not ranked",
    "test seen": "the test split was looked at during training",
    "part of test": "tested on some of the test images only; not ranked",
    "precisions": "seeds of several precisions (32-true, bf16-mixed, ...) in one mean",
    "cut": "the training ended before its last epoch",
}


@dataclass(frozen=True)
class Place:
    """One place of the table: our numbers, the published one, notes by their numbers."""

    summary: Summary | None = None
    published: float | None = None
    best: bool = False
    second: bool = False
    notes: tuple[int, ...] = ()

    @property
    def difference(self) -> float | None:
        """Ours less the published one."""
        if self.summary is None or self.published is None:
            return None
        return self.summary.mean - self.published


@dataclass(frozen=True)
class Survey:
    """The whole table.

    Attributes:
        columns: a heading and a subheading for each column.
        rows: the name of the method and its places.
        notes: the texts of the notes, number 1 first.
        sources: where the published numbers stand, one line each.
        seeds: the number of seeds of most places; others say their own.
    """

    columns: list[tuple[str, str]]
    rows: list[tuple[str, list[Place]]]
    notes: list[str]
    sources: list[str]
    seeds: int


def survey(grid: Grid) -> Survey:
    """Return the table of a set of runs.

    The survey's six columns are all there as soon as one of them is, for a gap says something.
    """
    columns = _columns(grid)
    notes: list[str] = []
    used: dict[str, Published] = {}
    rows = []
    podiums = {data: grid.podium(data) for data in grid.data_labels}
    for method in grid.methods:
        places = []
        for _, _, data in columns:
            cell = grid.cells.get((method, data)) if data else None
            places.append(_place(cell, podiums, notes, used) if cell else Place())
        rows.append((method, places))
    sources = [f"{row.method}: {row.title}; {row.caveats}." for row in used.values()]
    counts = Counter(place.summary.n for _, places in rows for place in places if place.summary)
    return Survey(
        [(name, ratio) for name, ratio, _ in columns],
        rows,
        notes,
        sources + misprints(list(used.values())),
        counts.most_common(1)[0][0] if counts else 0,
    )


def _columns(grid: Grid) -> list[tuple[str, str, Data | None]]:
    places: dict[tuple[str, int], Data] = {}
    others = []
    for data in grid.data_labels:
        key = (data.published or "", round(data.ratio))
        if data.published in ("cifar10", "cifar100") and key[1] in RATIOS and key not in places:
            places[key] = data
        else:
            others.append(data)
    columns: list[tuple[str, str, Data | None]] = []
    if places:
        for name, source in (("CIFAR-100-LT", "cifar100"), ("CIFAR-10-LT", "cifar10")):
            columns += [(name, str(ratio), places.get((source, ratio))) for ratio in RATIOS]
    for data in others:
        label = grid.data_labels[data]
        ratio = f"{data.ratio:g}" if data.ratio > 1 else "-"
        columns.append((label.replace(f", ratio {data.ratio:g}", ""), ratio, data))
    return columns


def _place(
    cell: Cell,
    podiums: dict[Data, tuple[set[str], set[str]]],
    notes: list[str],
    used: dict[str, Published],
) -> Place:
    best, second = podiums[cell.data]
    texts = [NOTE_TEXTS[note] for note in cell.notes]
    found = beside(cell)
    if found is not None:
        used.setdefault(f"{found[0].method} {found[0].source}", found[0])
        other = departures(cell, found[0])
        texts += [f"not as published: {'; '.join(other)}"] if other else []
    return Place(
        summary=cell.summary(),
        published=found[1] if found else None,
        best=cell.method in best,
        second=cell.method in second,
        notes=tuple(_number(text, notes) for text in texts),
    )


def _number(text: str, notes: list[str]) -> int:
    if text not in notes:
        notes.append(text)
    return notes.index(text) + 1


def caption(table: Survey, where: str = "in brackets") -> str:
    """Return one sentence on how to read the table."""
    numbers = {place.summary.n for _, places in table.rows for place in places if place.summary}
    seeds = "one seed" if table.seeds == 1 else f"{table.seeds} seeds"
    others = ", n where there are others" if len(numbers) > 1 else ""
    told = f"{seeds}{others}"
    if table.seeds > 1:
        told = f"mean ± standard deviation over {told}"
    elif len(numbers) > 1:
        told = "one seed, or mean ± standard deviation over n"
    text = f"Test accuracy in %, {told}"
    if any(place.best for _, places in table.rows for place in places):
        text += "; best bold, second underlined"
    if any(place.published for _, places in table.rows for place in places):
        text += f"; {where} the published value and ours less the published one"
    return text + "."


def told_left_out(grid: Grid) -> str:
    """Return one sentence on the runs that are in no place of the table, nothing without one."""
    if not grid.left_out:
        return ""
    folders = ", ".join(map(str, grid.left_out))
    return f"Left out, for a newer run has the same setting, precision, data and seeds: {folders}."


def number_text(place: Place, seeds: int) -> str:
    """Return our number: "42.10 ± 0.31", with n where it is not that of most, or "-"."""
    if place.summary is None:
        return "-"
    text = f"{place.summary.mean:.2f}"
    if place.summary.sd is not None:
        text += f" ± {place.summary.sd:.2f}"
    return text if place.summary.n == seeds else f"{text}, n={place.summary.n}"


def published_text(place: Place) -> str:
    """Return "(42.56, -0.46)", or nothing."""
    if place.published is None or place.difference is None:
        return ""
    return f"({place.published:.2f}, {place.difference:+.2f})"


def widths(columns: Sequence[tuple[str, str]]) -> list[tuple[str, int]]:
    """Return each heading with the number of columns below it."""
    found: list[tuple[str, int]] = []
    for name, _ in columns:
        if found and found[-1][0] == name:
            found[-1] = (name, found[-1][1] + 1)
        else:
            found.append((name, 1))
    return found
