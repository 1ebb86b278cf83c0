"""Metrics over the epochs, from metrics.csv."""

from collections.abc import Sequence
from pathlib import Path

from lt_lightning.report.cell import Cell
from lt_lightning.report.figures.series import Point, Series
from lt_lightning.report.statistics import summarise

# metric: title, whether it is shown in percent
PANELS = {
    "val/acc_many": ("Accuracy of the many-shot classes", True),
    "val/acc_medium": ("Accuracy of the medium-shot classes", True),
    "val/acc_few": ("Accuracy of the few-shot classes", True),
    "val/acc": ("Accuracy of all images", True),
    "val/acc_macro": ("Mean accuracy of the classes", True),
    "train/loss": ("Training loss", False),
}


def curves(cells: Sequence[tuple[int, Cell]], metric: str) -> list[Series]:
    """Return mean and spread over the seeds at each epoch; cells without the metric are left out.

    Args:
        cells: each with its style.
        metric: a column of metrics.csv.
    """
    factor = 100 if PANELS[metric][1] else 1
    found = []
    seen: set[Path] = set()
    for style, cell in cells:
        folders = {entry.run.folder for entry in cell.entries}
        if folders <= seen:  # another evaluation of runs that are drawn already
            continue
        seen |= folders
        at: dict[float, list[float]] = {}
        for entry in cell.entries:
            for epoch, value in entry.run.curves.get(metric, []):
                at.setdefault(epoch, []).append(factor * value)
        # Where only some seeds went on, the mean would jump.
        most = max(map(len, at.values()), default=0)
        points = [_point(cell, epoch, at[epoch]) for epoch in sorted(at) if len(at[epoch]) == most]
        if points:
            found.append(Series(cell.title, style, points))
    return found


def _point(cell: Cell, epoch: float, values: list[float]) -> Point:
    summary = summarise(values)
    assert summary is not None
    low = high = None
    if summary.sd is not None:
        low, high = summary.mean - summary.sd, summary.mean + summary.sd
    return Point(epoch, summary.mean, low, high, f"{cell.method}: {summary.mean:.4g} at {epoch:g}")
