"""Metrics over the epochs, from metrics.csv."""

from collections.abc import Sequence
from dataclasses import dataclass

from lt_lightning.figures.chart import Chart, Point, Series
from lt_lightning.figures.scale import Scale, from_zero, percent
from lt_lightning.report.cell import Cell
from lt_lightning.report.charts.spread import point_of
from lt_lightning.report.statistics import summarise


@dataclass(frozen=True)
class Panel:
    """One figure: a column of metrics.csv, its title, whether it is shown in percent."""

    metric: str
    title: str
    in_percent: bool = True


def panels(groups: Sequence[str]) -> list[Panel]:
    """Return the figures, one for each group and those of all classes."""
    return [
        *(Panel(f"val/acc_{name}", f"Accuracy of the group {name}") for name in groups),
        Panel("val/acc", "Accuracy of all images"),
        Panel("val/acc_macro", "Mean accuracy of the classes"),
        Panel("train/loss", "Training loss", in_percent=False),
    ]


def curve_charts(
    cells: Sequence[tuple[int, Cell]], groups: Sequence[str], where: str
) -> list[Chart]:
    """Return one figure for each metric that was logged at more than one epoch.

    Args:
        cells: each with its style.
        groups: the groups of their runs.
        where: the images of the validation, in words.
    """
    found = []
    for panel in panels(groups):
        series = curves(cells, panel)
        points = [point for one in series for point in one.points]
        if len({point.x for point in points}) < 2:
            continue
        title = f"{panel.title}, {where}" if panel.metric.startswith("val/") else panel.title
        values = [point.y for point in points]
        y = (
            percent("accuracy (%)", values)
            if panel.in_percent
            else from_zero("loss (nats)", values)
        )
        found.append(Chart(title, Scale("epoch", 0, max(p.x for p in points)), y, series))
    return found


def curves(cells: Sequence[tuple[int, Cell]], panel: Panel) -> list[Series]:
    """Return mean and spread over the seeds at each epoch; one line for each training.

    A training has one curve, whichever of its weights the cells were tested with. Those without
    the metric are left out.

    Args:
        cells: each with its style; a line has that of the last epoch's cell.
        panel: the figure.
    """
    factor = 100 if panel.in_percent else 1
    trainings: dict[str, list[tuple[int, Cell]]] = {}
    for style, cell in cells:
        trainings.setdefault(cell.trained, []).append((style, cell))
    found = []
    for name, own in trainings.items():
        style, cell = next((one for one in own if one[1].first.label == "last"), own[0])
        runs = {entry.run.folder: entry.run for _, one in own for entry in one.entries}
        at: dict[float, list[float]] = {}
        for run in runs.values():
            for epoch, value in run.curves.get(panel.metric, []):
                at.setdefault(epoch, []).append(factor * value)
        # Where only some seeds went on, the mean would jump.
        most = max(map(len, at.values()), default=0)
        points = [_point(name, epoch, at[epoch]) for epoch in sorted(at) if len(at[epoch]) == most]
        if points:
            title = f"{name} (oracle)" if cell.first.oracle else name
            found.append(Series(title, style, points))
    return found


def _point(name: str, epoch: float, values: list[float]) -> Point:
    summary = summarise(values)
    assert summary is not None
    return point_of(epoch, summary, f"{name}: {summary.mean:.4g} at {epoch:g}")
