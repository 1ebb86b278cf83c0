"""Which published setting is most like a data set."""

import math
from collections.abc import Mapping
from typing import TypeVar

from lt_lightning.inputs import ClassCounts, check_class_counts
from lt_lightning.losses.checks import check_range

Value = TypeVar("Value")


def nearest_setting(
    published: Mapping[tuple[int, float], Value], num_classes: int, imbalance_ratio: float
) -> Value:
    """Return the value of the nearest setting, by log(C) and log(imbalance ratio).

    Args:
        published: (number of classes, imbalance ratio) -> value.
        num_classes: C, at least 1.
        imbalance_ratio: largest over smallest class count, at least 1.

    Raises:
        UserError: if a number is below 1.

    >>> nearest_setting({(10, 100): "a", (100, 10): "b"}, 8, 120)
    'a'
    """
    check_range("num_classes", num_classes, 1.0)
    check_range("imbalance_ratio", imbalance_ratio, 1.0)

    def distance(known: tuple[int, float]) -> float:
        return math.hypot(math.log(known[0] / num_classes), math.log(known[1] / imbalance_ratio))

    return published[min(published, key=distance)]


def ratio_of(class_counts: ClassCounts) -> float:
    """Return the largest over the smallest count."""
    counts = check_class_counts(class_counts)
    return int(counts.max()) / int(counts.min())
