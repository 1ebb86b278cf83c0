"""Names in a picture: short, and moved until none lies over another."""

from collections.abc import Sequence

_ROUNDS = 50


def shortened(name: str, letters: int) -> str:
    """Return a name of at most so many letters."""
    return name if len(name) <= letters else name[: letters - 1] + "…"


def apart(boxes: Sequence[tuple[float, float, float]], height: float) -> list[float]:
    """Return the vertical place of each label; those that would overlap are moved up and down.

    Args:
        boxes: the middle (x, y) and the width of each label.
        height: the height of all labels.
    """
    places = [y for _, y, _ in boxes]
    for _ in range(_ROUNDS):
        moved = False
        for a in range(len(boxes)):
            for b in range(a):
                beside = abs(boxes[a][0] - boxes[b][0]) >= (boxes[a][2] + boxes[b][2]) / 2
                short = height - abs(places[a] - places[b])
                if beside or short <= 1e-9:
                    continue
                up = 1 if (places[a], a) > (places[b], b) else -1
                places[a] += up * short / 2
                places[b] -= up * short / 2
                moved = True
        if not moved:
            break
    return places


def spread(count: int, most: int) -> list[int]:
    """Return at most so many of the numbers below `count`, evenly, the first and the last too."""
    shown = min(count, most)
    return [round(k * (count - 1) / max(shown - 1, 1)) for k in range(shown)]
