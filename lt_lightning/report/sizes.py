"""Sizes of networks in words, and whether those of a table may be compared."""

from collections.abc import Sequence
from typing import NamedTuple

_ALIKE = 1.1  # a head more or less is the same network


class Size(NamedTuple):
    """The multiply-adds of an image and the parameters of one network; none where not known."""

    multiply_adds: int | None
    parameters: int | None


def millions(number: int | None) -> str:
    """Return "0.464 M", or nothing where it is not known."""
    if number is None:
        return ""
    value = number / 1e6
    return f"{value:,.0f} M" if value >= 1000 else f"{value:.3g} M"


def several(found: Sequence[Size]) -> str | None:
    """Return a sentence where networks are of several sizes, else none.

    By the multiply-adds, for the parameters have what only training needs; where they are alike
    but some runs have none, by the parameters.
    """
    wholes = (
        ("multiply-adds an image", [size.multiply_adds for size in found]),
        ("parameters", [size.parameters for size in found]),
    )
    for what, numbers in wholes:
        known = sorted(number for number in numbers if number)
        if known and known[-1] > _ALIKE * known[0]:
            span = f"{millions(known[0])} to {millions(known[-1])} {what}"
            return f"Networks of several sizes, {span}: a difference between two may be theirs."
        if len(known) == len(numbers):
            return None
    return None


def of_one(size: Size) -> str | None:
    """Return the size of one network in a sentence, or none where nothing of it is known."""
    parts = (
        f"{millions(size.parameters)} parameters" if size.parameters else None,
        f"{millions(size.multiply_adds)} multiply-adds an image" if size.multiply_adds else None,
    )
    told = ", ".join(part for part in parts if part)
    return f"Network: {told}." if told else None
