"""The values that a change after training was chosen from."""

from collections.abc import Sequence

from lt_lightning.report.cell import Cell
from lt_lightning.report.figures.series import Point, Series
from lt_lightning.report.statistics import summarise


def tau_curves(cells: Sequence[tuple[int, Cell]]) -> list[Series]:
    """Return the macro accuracy at each tau on the images it was chosen on, in percent.

    Means over the seeds, at the values that all of them tried; cells without a curve are left out.

    Args:
        cells: each with its style.
    """
    found = []
    for style, cell in cells:
        curves = [dict(entry.evaluation.get("tau_curve", [])) for entry in cell.entries]
        points = []
        for tau in sorted(set(curves[0]).intersection(*curves)):
            summary = summarise([100 * curve[tau] for curve in curves])
            assert summary is not None
            sd = summary.sd
            low, high = (None, None) if sd is None else (summary.mean - sd, summary.mean + sd)
            text = f"{cell.method}: {summary.mean:.4g} % at tau {tau:g}"
            points.append(Point(tau, summary.mean, low, high, text))
        if len(points) > 1:
            found.append(Series(cell.title, style, points))
    return found
