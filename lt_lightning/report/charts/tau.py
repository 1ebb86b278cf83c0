"""The values that a change after training was chosen from."""

from collections.abc import Sequence

from lt_lightning.figures.chart import Chart, Series
from lt_lightning.figures.scale import Scale, around
from lt_lightning.report.cell import Cell
from lt_lightning.report.charts.spread import point_of
from lt_lightning.report.statistics import summarise


def tau_chart(cells: Sequence[tuple[int, Cell]]) -> Chart | None:
    """Return the macro accuracy over tau, where a change after training chose it."""
    series = tau_curves(cells)
    if not series:
        return None
    points = [point for one in series for point in one.points]
    x = Scale("tau (no unit)", min(p.x for p in points), max(p.x for p in points))
    y = around("macro accuracy (%)", [point.y for point in points])
    return Chart("Choice of tau after training", x, y, series)


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
            text = f"{cell.method}: {summary.mean:.4g} % at tau {tau:g}"
            points.append(point_of(tau, summary, text))
        if len(points) > 1:
            found.append(Series(cell.title, style, points))
    return found
