"""A ramp from dark blue to yellow that the colour-blind see as one of lightness (cividis)."""

_STOPS = (
    (0, 34, 78), (18, 53, 112), (59, 73, 108), (87, 93, 109), (112, 113, 115),
    (138, 134, 120), (165, 156, 116), (195, 179, 105), (225, 204, 85), (254, 232, 56),
)  # fmt: skip
MIDDLE = 50.0  # from here on black letters are easier to read than white ones
_LAST = 254


def _mixed(share: float) -> tuple[int, int, int]:
    place = share * (len(_STOPS) - 1)
    first = min(int(place), len(_STOPS) - 2)
    rest = place - first
    low, high = _STOPS[first], _STOPS[first + 1]
    red, green, blue = (round(a + rest * (b - a)) for a, b in zip(low, high, strict=True))
    return red, green, blue


# 255 steps, and a grey for what has no value.
PALETTE = (*(_mixed(k / _LAST) for k in range(_LAST + 1)), (150, 150, 150))


def index(percent: float) -> int:
    """Return the place in the palette of 0 to 100."""
    return round(min(max(percent, 0.0), 100.0) / 100 * _LAST)


def colour(percent: float) -> str:
    """Return the colour of 0 to 100."""
    return "#{:02x}{:02x}{:02x}".format(*PALETTE[index(percent)])
