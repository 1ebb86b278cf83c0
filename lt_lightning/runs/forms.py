"""What a value of a JSON file may be: each says whether one is so."""

from collections.abc import Callable
from typing import Any

Fits = Callable[[Any], bool]

_LARGEST = 1e30  # of a number that is no share
_COUNTED = 2**53  # whole numbers beyond it are not told apart as floats
_ROUNDING = 1e-6


def is_text(value: Any) -> bool:
    """Return whether it is a text."""
    return isinstance(value, str)


def is_flag(value: Any) -> bool:
    """Return whether it is true or false."""
    return isinstance(value, bool)


def is_mapping(value: Any) -> bool:
    """Return whether it is a mapping."""
    return isinstance(value, dict)


def is_count(value: Any) -> bool:
    """Return whether it is a whole number from 0 on."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _COUNTED


def is_number(value: Any) -> bool:
    """Return whether it is a number; the comparison is false for NaN."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST


def is_size(value: Any) -> bool:
    """Return whether it is a number from 0 on."""
    return is_number(value) and value >= 0


def is_share(value: Any) -> bool:
    """Return whether it is a number from 0 to 1, up to rounding."""
    return is_number(value) and -_ROUNDING <= value <= 1 + _ROUNDING


def or_none(fits: Fits) -> Fits:
    """Return the form of values of another one, or none."""
    return lambda value: value is None or fits(value)


def list_of(fits: Fits) -> Fits:
    """Return the form of lists of values of another one."""
    return lambda value: isinstance(value, list) and all(map(fits, value))


def mapping_to(fits: Fits) -> Fits:
    """Return the form of mappings to values of another one."""
    return lambda value: isinstance(value, dict) and all(map(fits, value.values()))
