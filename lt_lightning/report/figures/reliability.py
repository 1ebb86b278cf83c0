"""Reliability diagrams: accuracy over confidence."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from lt_lightning.report.cell import Cell
from lt_lightning.report.figures.scale import Scale
from lt_lightning.report.figures.svg import Plot

_SIZE = (300, 280)


@dataclass(frozen=True)
class Bin:
    """Images whose confidence lies between two edges; all shares in percent."""

    low: float
    high: float
    images: int
    accuracy: float
    confidence: float


def bins(cell: Cell) -> list[Bin]:
    """Return the bins that hold images, summed over the seeds; none where the edges differ."""
    found = [entry.evaluation["reliability"] for entry in cell.entries]
    edges = found[0].get("edges") or []
    if any(one.get("edges") != edges for one in found):
        return []
    result = []
    for k, (low, high) in enumerate(pairwise(edges)):
        images = sum(one["total"][k] for one in found)
        if images:
            hits = sum(one["correct"][k] for one in found)
            sure = math.fsum(one["total"][k] * (one["confidence"][k] or 0) for one in found)
            result.append(
                Bin(100 * low, 100 * high, images, 100 * hits / images, 100 * sure / images)
            )
    return result


def gap(found: Sequence[Bin]) -> float:
    """Return the expected calibration error of the bins, in percent."""
    images = sum(one.images for one in found)
    return math.fsum(one.images * abs(one.accuracy - one.confidence) for one in found) / images


def reliability(cell: Cell, found: Sequence[Bin]) -> str:
    """Return the picture: bars of accuracy, and the gap to the confidence."""
    axis = Scale("accuracy (%)", 0, 100)
    plot = Plot(Scale("confidence (%)", 0, 100), axis, f"Reliability of {cell.method}", _SIZE)
    for one in found:
        plot.bar((one.low, one.high), 0, one.accuracy, "bar")
        sure = one.confidence > one.accuracy
        low, high = sorted((one.accuracy, one.confidence))
        plot.bar((one.low, one.high), low, high, "over" if sure else "under")
    plot.rule((0, 0), (100, 100), "ideal")
    return plot.svg()
