"""The choice by macro accuracy on held-out images, with its uncertainty.

Each class is looked at by itself, as a bootstrap that draws within classes would, and in closed
form: with the chances of its outcomes unknown, the mean over a class has the variance of a
Dirichlet posterior. Its prior counts one image for each class, so that a class of one held-out
image, right or wrong, is not taken for certain; a bootstrap would.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

RIGHT = "1"  # of a held-out image that is right; another letter is wrong


@dataclass(frozen=True)
class Score:
    """A mean over classes and its standard deviation, both from -1 to 1."""

    mean: float
    sd: float


@dataclass(frozen=True)
class Choice:
    """What was chosen, and why.

    Attributes:
        name: of the step.
        best: the step with the highest macro accuracy.
        behind: by name, how far each step is behind the best, paired image by image.
        tied: the steps that are not told from the best, the chosen among them, simplest first.
    """

    name: str
    best: str
    behind: Mapping[str, Score]
    tied: tuple[str, ...]


def score(right: str, labels: Sequence[int]) -> Score:
    """Return the macro accuracy over the classes that have images.

    Args:
        right: a letter for each image, `RIGHT` where it is right.
        labels: of the images.
    """
    return _over_classes([int(letter == RIGHT) for letter in right], labels, (0, 1))


def difference(right: str, other: str, labels: Sequence[int]) -> Score:
    """Return the macro accuracy of `right` minus that of `other`, paired image by image."""
    pairs = zip(right, other, strict=True)
    return _over_classes([(a == RIGHT) - (b == RIGHT) for a, b in pairs], labels, (-1, 0, 1))


def choose(found: Mapping[str, str], labels: Sequence[int], simplest: Sequence[str]) -> Choice:
    """Return the simplest step that is within one standard deviation of the best.

    Args:
        found: by name, a letter for each held-out image, `RIGHT` where it is right.
        labels: of these images.
        simplest: all names, the simplest first.
    """
    names = [name for name in simplest if name in found]
    best = max(names, key=lambda name: score(found[name], labels).mean)
    behind = {name: difference(found[best], found[name], labels) for name in names}
    tied = tuple(name for name in names if name == best or behind[name].mean <= behind[name].sd)
    return Choice(tied[0], best, behind, tied)


def _over_classes(values: Sequence[int], labels: Sequence[int], outcomes: Sequence[int]) -> Score:
    counts: dict[int, Counter[int]] = {}
    for value, label in zip(values, labels, strict=True):
        counts.setdefault(label, Counter())[value] += 1
    if not counts:
        raise ValueError("there are no images")
    means = [sum(v * n for v, n in found.items()) / found.total() for found in counts.values()]
    variances = [_variance(found, outcomes) for found in counts.values()]
    return Score(sum(means) / len(means), math.sqrt(sum(variances)) / len(means))


def _variance(found: Counter[int], outcomes: Sequence[int]) -> float:
    """Return the posterior variance of the mean, where a prior image is shared by the outcomes."""
    total = found.total() + 1
    share = {value: (found[value] + 1 / len(outcomes)) / total for value in outcomes}
    mean = sum(value * part for value, part in share.items())
    square = sum(value * value * part for value, part in share.items())
    return (square - mean * mean) / (total + 1)
