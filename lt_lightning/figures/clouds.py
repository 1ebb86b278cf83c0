"""Test features of a run in the plane, by group."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lt_lightning.figures.class_size import NO_GROUP

STYLES = 7  # groups that are told apart by their colour
NAMED = 12  # more names than this cover the points
X_LABEL, Y_LABEL = "t-SNE, first axis (no unit)", "t-SNE, second axis (no unit)"


@dataclass(frozen=True)
class Cloud:
    """The points of one group."""

    group: str
    style: int
    points: list[tuple[float, float]]


@dataclass(frozen=True)
class Clouds:
    """The points of one run.

    Attributes:
        title: what they are.
        groups: those that have points, the last on top.
        names: each class in the middle of its points, up to 12 of them.
    """

    title: str
    groups: list[Cloud]
    names: list[tuple[str, float, float]]

    @property
    def points(self) -> list[tuple[float, float]]:
        """All points."""
        return [point for one in self.groups for point in one.points]


def clouds(
    title: str,
    points: Sequence[tuple[int, float, float]],
    class_names: Sequence[object],
    groups: Mapping[str, Sequence[int]],
    order: Sequence[str],
) -> Clouds:
    """Return the points by group.

    Args:
        title: what they are.
        points: the class and the place (x, y) of each image.
        class_names: C names.
        groups: the classes of each group.
        order: the groups of all figures beside this one, which have one style all over.
    """
    group_of = {k: name for name, members in groups.items() for k in members}
    by_group: dict[str | None, list[tuple[float, float]]] = {}
    by_class: dict[int, list[tuple[float, float]]] = {}
    for label, x, y in points:
        by_group.setdefault(group_of.get(label), []).append((x, y))
        by_class.setdefault(label, []).append((x, y))
    styles: dict[str | None, int] = {name: k % STYLES for k, name in enumerate(order)}
    styles[None] = STYLES  # the last one, of classes in no group
    own = [
        Cloud(NO_GROUP if name is None else name, style, by_group[name])
        for name, style in styles.items()
        if name in by_group
    ]
    names = [(str(class_names[k]), *_middle(by_class[k])) for k in sorted(by_class)]
    return Clouds(title, own, names if len(names) <= NAMED else [])


def _middle(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return statistics.median(x for x, _ in points), statistics.median(y for _, y in points)
