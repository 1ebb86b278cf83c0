"""Mean, spread and paired differences of a few repetitions; plain Python, so it loads at once."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

_HALVINGS = 200


@dataclass(frozen=True)
class Summary:
    """What n repetitions say: their mean, their sample standard deviation, none of one."""

    n: int
    mean: float
    sd: float | None


@dataclass(frozen=True)
class Difference:
    """Mean of n paired differences with its 95 % confidence interval, none of one pair."""

    n: int
    mean: float
    low: float | None
    high: float | None

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low is not None and self.high is not None and self.low * self.high > 0


def summarise(values: Sequence[float]) -> Summary | None:
    """Return mean and standard deviation, or none of nothing."""
    if not values:
        return None
    mean = math.fsum(values) / len(values)
    if len(values) == 1:
        return Summary(1, mean, None)
    squares = math.fsum((value - mean) ** 2 for value in values)
    return Summary(len(values), mean, math.sqrt(squares / (len(values) - 1)))


def paired(differences: Sequence[float]) -> Difference | None:
    """Return the mean difference with Student's interval for it, or none of nothing."""
    found = summarise(differences)
    if found is None:
        return None
    if found.sd is None:
        return Difference(1, found.mean, None, None)
    half = student_quantile(found.n - 1) * found.sd / math.sqrt(found.n)
    return Difference(found.n, found.mean, found.mean - half, found.mean + half)


def student_quantile(degrees: int, level: float = 0.95) -> float:
    """Return the t between whose negative and itself Student's distribution has `level`."""
    low, high = 0.0, 1.0
    while _central(high, degrees) < level:
        high *= 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _central(middle, degrees) < level else (low, middle)
    return (low + high) / 2


def _central(t: float, degrees: int) -> float:
    """Return P(|T| < t), the finite sum for whole degrees of freedom.

    Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
    """
    angle = math.atan(t / math.sqrt(degrees))
    cosine, sine = math.cos(angle), math.sin(angle)
    odd = degrees % 2
    if degrees == 1:
        return 2 * angle / math.pi
    term = total = cosine if odd else 1.0
    for k in range(2 + odd, degrees - 1 + odd, 2):
        term *= cosine**2 * (k - 1) / k
        total += term
    return 2 / math.pi * (angle + sine * total) if odd else sine * total
