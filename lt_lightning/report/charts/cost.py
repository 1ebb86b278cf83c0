"""What an accuracy cost: minutes of training, numbers in the model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lt_lightning.figures.chart import Chart, Series
from lt_lightning.figures.scale import around, wide
from lt_lightning.report.cell import Cell
from lt_lightning.report.charts.spread import point_of
from lt_lightning.report.entry import Entry
from lt_lightning.report.statistics import summarise


@dataclass(frozen=True)
class Price:
    """One kind of cost: its name, its axis, its unit, and what a run paid of it."""

    what: str
    label: str
    unit: str
    paid: Callable[[Entry], float | None]


def _millions(entry: Entry) -> float | None:
    return None if entry.parameters is None else entry.parameters / 1e6


MINUTES = Price("minutes", "minutes of training", "minutes", lambda entry: entry.minutes)
PARAMETERS = Price("parameters", "million parameters", "M parameters", _millions)


def cost_chart(cells: Sequence[tuple[int, Cell]], price: Price) -> Chart | None:
    """Return accuracy over the cost, or none where no cost is known."""
    series = cost(cells, price)
    if not series:
        return None
    points = [one.points[0] for one in series]
    x = wide(price.label, [point.x for point in points])
    reach = [v for p in points for v in (p.y, p.low, p.high) if v is not None]
    return Chart(f"Accuracy over {price.what}", x, around("test accuracy (%)", reach), series)


def cost(cells: Sequence[tuple[int, Cell]], price: Price) -> list[Series]:
    """Return one point for each method: cost and accuracy in percent, means over the seeds.

    Args:
        cells: each with its style.
        price: the kind of cost.
    """
    found = []
    for style, cell in cells:
        accuracy = cell.summary()
        known = summarise([value for e in cell.entries if (value := price.paid(e))])
        if accuracy is not None and known is not None:
            text = f"{cell.method}: {accuracy.mean:.2f} %, {known.mean:.3g} {price.unit}"
            found.append(Series(cell.title, style, [point_of(known.mean, accuracy, text)]))
    return found
