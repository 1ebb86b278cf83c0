"""What an accuracy cost: minutes of training, numbers in the model."""

from collections.abc import Sequence

from lt_lightning.report.cell import Cell
from lt_lightning.report.figures.series import Point, Series
from lt_lightning.report.statistics import summarise


def cost(cells: Sequence[tuple[int, Cell]], what: str) -> list[Series]:
    """Return one point for each method: cost and accuracy in percent, means over the seeds.

    Args:
        cells: each with its style.
        what: "minutes", or "parameters" in millions.
    """
    found = []
    for style, cell in cells:
        accuracy = cell.summary()
        paid = [getattr(entry, what) for entry in cell.entries]
        known = summarise([value for value in paid if value])
        if accuracy is None or known is None:
            continue
        value = known.mean / 1e6 if what == "parameters" else known.mean
        unit = "M parameters" if what == "parameters" else "minutes"
        low = high = None
        if accuracy.sd is not None:
            low, high = accuracy.mean - accuracy.sd, accuracy.mean + accuracy.sd
        text = f"{cell.method}: {accuracy.mean:.2f} %, {value:.3g} {unit}"
        found.append(Series(cell.title, style, [Point(value, accuracy.mean, low, high, text)]))
    return found
