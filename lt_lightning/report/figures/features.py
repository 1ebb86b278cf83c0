"""Test features of a run in the plane, by group."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from lt_lightning.report.cell import Cell
from lt_lightning.report.features_file import read_features
from lt_lightning.report.figures.scale import around
from lt_lightning.report.figures.svg import Plot
from lt_lightning.report.run import Run

NO_GROUP = "no group"
_STYLES = 7  # groups that are told apart by their colour
_NAMED = 12  # more names than this cover the points
_SIZE = (340, 330)


@dataclass(frozen=True)
class Cloud:
    """The points of one group."""

    group: str
    style: int
    points: list[tuple[float, float]]


@dataclass(frozen=True)
class Clouds:
    """The points of one run by group, the last group on top, and where its classes lie."""

    run: Run
    groups: list[Cloud]
    names: list[tuple[str, float, float]]

    @property
    def images(self) -> int:
        """The number of points."""
        return sum(len(one.points) for one in self.groups)


def clouds(cell: Cell, groups: Sequence[str]) -> Clouds | None:
    """Return the features of the first seed that has any, or none.

    They are those of the last epoch, so a cell of other weights or of a change has none.

    Args:
        cell: the cell.
        groups: the groups of all cells, which have one style all over.
    """
    if cell.first.label != "last":
        return None
    for entry in cell.entries:
        facts = entry.run.content["data"]
        found = read_features(entry.run.folder, len(facts["class_names"]))
        if found is None or not found.labels:
            continue
        points = list(zip(found.labels, found.x, found.y, strict=True))
        group_of = {k: name for name, members in facts["groups"].items() for k in members}
        by_group: dict[str, list[tuple[float, float]]] = {}
        by_class: dict[int, list[tuple[float, float]]] = {}
        for label, x, y in points:
            by_group.setdefault(group_of.get(label, NO_GROUP), []).append((x, y))
            by_class.setdefault(label, []).append((x, y))
        styles = {name: k % _STYLES for k, name in enumerate(groups)}
        styles.setdefault(NO_GROUP, _STYLES)
        own = [
            Cloud(name, style, by_group[name]) for name, style in styles.items() if name in by_group
        ]
        names = [(str(facts["class_names"][k]), *_middle(by_class[k])) for k in sorted(by_class)]
        return Clouds(entry.run, own, names if len(names) <= _NAMED else [])
    return None


def _middle(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return statistics.median(x for x, _ in points), statistics.median(y for _, y in points)


def draw(cell: Cell, found: Clouds) -> str:
    """Return the picture: one path for each group, for thousands of marks are slow."""
    every = [point for one in found.groups for point in one.points]
    x = around("t-SNE, first axis (no unit)", [point[0] for point in every])
    y = around("t-SNE, second axis (no unit)", [point[1] for point in every])
    plot = Plot(x, y, f"Test features of {cell.method}", _SIZE)
    for one in found.groups:
        plot.cloud(one.points, f"cloud g{one.style}")
    plot.names(found.names, "place")
    return plot.svg()
