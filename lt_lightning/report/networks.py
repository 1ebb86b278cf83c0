"""How large the networks of a table are, and whether they may be compared."""

from collections.abc import Callable, Iterable

from lt_lightning.report.cell import Cell
from lt_lightning.report.entry import Entry

_ALIKE = 1.1  # a head more or less is the same network


def millions(number: int | None) -> str:
    """Return "0.464 M", or nothing where it is not known."""
    if number is None:
        return ""
    value = number / 1e6
    return f"{value:,.0f} M" if value >= 1000 else f"{value:.3g} M"


def size_note(cells: Iterable[Cell]) -> str | None:
    """Return a sentence where the cells are of networks of several sizes, else none.

    By the multiply-adds, for the parameters have what only training needs; where no run has
    them, by the parameters.
    """
    entries = [entry for cell in cells for entry in cell.entries]
    for what, size in _SIZES.items():
        found = sorted(number for entry in entries if (number := size(entry)))
        if found:
            if found[-1] <= _ALIKE * found[0]:
                return None
            span = f"{millions(found[0])} to {millions(found[-1])} {what}"
            return f"Networks of several sizes, {span}: a difference between two may be theirs."
    return None


_SIZES: dict[str, Callable[[Entry], int | None]] = {
    "multiply-adds an image": lambda entry: entry.multiply_adds,
    "parameters": lambda entry: entry.parameters,
}
