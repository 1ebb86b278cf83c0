"""Which class is taken for which."""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

NAMED = 20  # more names than this cannot be read
ANNOTATED = 12


@dataclass(frozen=True)
class Confusion:
    """A confusion matrix.

    Attributes:
        title: what it shows.
        names: of the classes.
        counts: the images of each true class by predicted class, in the order of the names.
    """

    title: str
    names: list[str]
    counts: list[list[int]]

    @property
    def named(self) -> bool:
        """Whether there is room for the names."""
        return len(self.counts) <= NAMED

    @property
    def annotated(self) -> bool:
        """Whether there is room for the numbers."""
        return len(self.counts) <= ANNOTATED

    @property
    def images(self) -> int:
        """All images."""
        return sum(map(sum, self.counts))

    @cached_property
    def shares(self) -> list[list[float | None]]:
        """Each row in percent of its images; none where a class has no test image."""
        found: list[list[float | None]] = []
        for row in self.counts:
            images = sum(row)
            found.append([100 * count / images if images else None for count in row])
        return found

    def mistakes(self, most: int) -> list[tuple[str, str, int, int]]:
        """Return the mistakes with the largest shares of their class: names and images.

        Args:
            most: how many; of equal shares those of the class with more images come first.

        Returns:
            The true and the predicted class, the images, and all images of the true class.
        """
        found = [
            (count / images, images, -true, -predicted)
            for true, row in enumerate(self.counts)
            if (images := sum(row))
            for predicted, count in enumerate(row)
            if count and predicted != true
        ]
        return [
            (self.names[-true], self.names[-predicted], self.counts[-true][-predicted], images)
            for _, images, true, predicted in heapq.nlargest(most, found)
        ]

    def ordered(self, order: Sequence[int]) -> "Confusion":
        """Return it with the classes in another order."""
        counts = [[self.counts[true][predicted] for predicted in order] for true in order]
        return Confusion(self.title, [self.names[k] for k in order], counts)

    def coarse(self, most: int) -> "Confusion":
        """Return it with neighbours summed, so that there are at most `most` rows."""
        step = -(-len(self.counts) // most)
        size = -(-len(self.counts) // step)
        sums = [[0] * size for _ in range(size)]
        for true, row in enumerate(self.counts):
            for predicted, count in enumerate(row):
                sums[true // step][predicted // step] += count
        return Confusion(self.title, self.names[::step], sums)


def read_sparse(tables: Iterable[Sequence[str]], classes: int) -> list[list[int]]:
    """Return the sum of tables as results.json holds them: a text "predicted:images ..." a row."""
    found = [[0] * classes for _ in range(classes)]
    for rows in tables:
        for row, text in zip(found, rows, strict=True):
            for pair in text.split():
                predicted, _, images = pair.partition(":")
                row[int(predicted)] += int(images)
    return found


def head_to_tail(counts: Sequence[int]) -> list[int]:
    """Return the classes, those with most training images first."""
    return sorted(range(len(counts)), key=lambda k: -counts[k])
