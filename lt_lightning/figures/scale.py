"""Axes: from values to places and to the ticks between them."""

import math
from dataclasses import dataclass

_STEPS = (1, 2, 5, 10)
_WANTED = 6


@dataclass(frozen=True)
class Scale:
    """An axis from `low` to `high`, linear or logarithmic.

    Args:
        label: what the axis shows, with its unit.
        low: its first value; above 0 where it is logarithmic.
        high: its last value, above `low`.
        log: whether equal factors are equally long.
    """

    label: str
    low: float
    high: float
    log: bool = False

    def share(self, value: float) -> float:
        """Return how far along the axis a value stands, 0 to 1."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Return round values from `low` to `high`."""
        return self._log_ticks() if self.log else self._linear_ticks()

    def _linear_ticks(self) -> list[float]:
        rough = (self.high - self.low) / _WANTED
        power = 10 ** math.floor(math.log10(rough))
        step = next(s * power for s in _STEPS if s * power >= rough * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(k * step, 12) for k in range(first, last + 1)]

    def _log_ticks(self) -> list[float]:
        decades = math.log10(self.high / self.low)
        leads = (1, 2, 5) if decades <= 2.5 else (1, 3) if decades <= 3.5 else (1,)
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        found = [lead * 10.0**power for power in powers for lead in leads]
        inside = [v for v in found if self.low * 0.999 <= v <= self.high * 1.001]
        return inside if len(inside) > 1 else [self.low, self.high]


def around(label: str, values: list[float], *, log: bool = False) -> Scale:
    """Return an axis with a little room on both sides of the values."""
    low, high = min(values), max(values)
    if log:
        room = max((high / low) ** 0.06, 1.15)
        return Scale(label, low / room, high * room, log=True)
    room = max((high - low) * 0.06, abs(high) * 0.02, 1e-9)
    return Scale(label, low - room, high + room)


def from_zero(label: str, values: list[float]) -> Scale:
    """Return an axis from 0 to a little above the values, which are 0 or more."""
    return Scale(label, min(0.0, *values), max(*values, 1e-9) * 1.06)


def wide(label: str, values: list[float]) -> Scale:
    """Return a logarithmic axis where the values span a factor of 5, else a linear one."""
    if max(values) >= 5 * min(values):
        return around(f"{label} (log scale)", values, log=True)
    return around(label, values)


def percent(label: str, values: list[float]) -> Scale:
    """Return an axis of percentages that starts at 0 and ends at a round value."""
    top = max(values, default=100.0)
    return Scale(label, 0.0, min(100.0, max(10.0, math.ceil(top / 10 + 0.2) * 10)))


def tick_text(value: float) -> str:
    """Return a tick's label: 1200, 0.5, 20000 as 20k."""
    if abs(value) >= 10_000:
        return f"{value / 1000:g}k" if abs(value) < 1_000_000 else f"{value / 1e6:g}M"
    return f"{value:g}"
