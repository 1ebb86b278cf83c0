"""How large the networks of a table are, and whether they may be compared."""

from collections.abc import Callable, Iterable, Sequence

from lt_lightning.report.cell import Cell
from lt_lightning.report.entry import Entry
from lt_lightning.report.sizes import Size, several

Read = Callable[[Entry], int | None]
PARAMETERS, MULTIPLY_ADDS = "parameters", "multiply-adds"
SIZES: dict[str, Read] = {
    PARAMETERS: lambda entry: entry.parameters,
    MULTIPLY_ADDS: lambda entry: entry.multiply_adds,
}


def sizes(cells: Sequence[Cell]) -> dict[str, Read]:
    """Return the columns of the size of a network that some run has, by their headings."""
    return {name: of for name, of in SIZES.items() if any(of(cell.first) for cell in cells)}


def size_note(cells: Iterable[Cell]) -> str | None:
    """Return a sentence where the cells are of networks of several sizes, else none."""
    entries = [entry for cell in cells for entry in cell.entries]
    return several([Size(entry.multiply_adds, entry.parameters) for entry in entries])
