"""Reliability: accuracy over confidence."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any


@dataclass(frozen=True)
class Bin:
    """Images whose confidence lies between two edges; all shares from 0 to 1."""

    low: float
    high: float
    images: int
    accuracy: float
    confidence: float

    @property
    def gap(self) -> str:
        """What lies between accuracy and confidence: "over" confident, "under", or nothing."""
        if self.confidence == self.accuracy:
            return ""
        return "over" if self.confidence > self.accuracy else "under"


@dataclass(frozen=True)
class Reliability:
    """A reliability diagram.

    Attributes:
        title: what it shows.
        bins: those that hold images.
        of: how many bins there are, with the empty ones.
    """

    title: str
    bins: list[Bin]
    of: int

    @property
    def images(self) -> int:
        """All images."""
        return sum(one.images for one in self.bins)

    @property
    def ece(self) -> float:
        """The expected calibration error of the bins, from 0 to 1."""
        gaps = (one.images * abs(one.accuracy - one.confidence) for one in self.bins)
        return math.fsum(gaps) / self.images


def reliability(title: str, tables: Sequence[Mapping[str, Any]]) -> Reliability:
    """Return the diagram of some tests together; it has no bins where their edges differ.

    Args:
        title: what it shows.
        tables: `reliability` of an evaluation in results.json, of each test.
    """
    edges = tables[0].get("edges") or []
    if any(table.get("edges") != edges for table in tables):
        return Reliability(title, [], 0)
    found = []
    for k, (low, high) in enumerate(pairwise(edges)):
        images = sum(table["total"][k] for table in tables)
        if images:
            hits = sum(table["correct"][k] for table in tables)
            sure = math.fsum(table["total"][k] * (table["confidence"][k] or 0) for table in tables)
            found.append(Bin(low, high, images, hits / images, sure / images))
    return Reliability(title, found, max(len(edges) - 1, 0))
