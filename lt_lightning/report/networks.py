"""How large the networks of a table are, and whether they may be compared."""

from collections.abc import Callable, Iterable, Sequence

from lt_lightning.report.cell import Cell
from lt_lightning.report.entry import Entry

Size = Callable[[Entry], int | None]
PARAMETERS, MULTIPLY_ADDS = "parameters", "multiply-adds"
SIZES: dict[str, Size] = {
    PARAMETERS: lambda entry: entry.parameters,
    MULTIPLY_ADDS: lambda entry: entry.multiply_adds,
}
_ALIKE = 1.1  # a head more or less is the same network


def millions(number: int | None) -> str:
    """Return "0.464 M", or nothing where it is not known."""
    if number is None:
        return ""
    value = number / 1e6
    return f"{value:,.0f} M" if value >= 1000 else f"{value:.3g} M"


def sizes(cells: Sequence[Cell]) -> dict[str, Size]:
    """Return the columns of the size of a network that some run has, by their headings."""
    return {name: of for name, of in SIZES.items() if any(of(cell.first) for cell in cells)}


def size_note(cells: Iterable[Cell]) -> str | None:
    """Return a sentence where the cells are of networks of several sizes, else none.

    By the multiply-adds, for the parameters have what only training needs; where they are alike
    but some runs have none, by the parameters.
    """
    entries = [entry for cell in cells for entry in cell.entries]
    for what, name in (("multiply-adds an image", MULTIPLY_ADDS), ("parameters", PARAMETERS)):
        found = sorted(number for entry in entries if (number := SIZES[name](entry)))
        if found and found[-1] > _ALIKE * found[0]:
            span = f"{millions(found[0])} to {millions(found[-1])} {what}"
            return f"Networks of several sizes, {span}: a difference between two may be theirs."
        if len(found) == len(entries):
            return None
    return None
