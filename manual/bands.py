"""How far a measured number may be from the published ones."""

from collections.abc import Sequence

from manual import published
from manual.published import Published
from manual.runs import Row

# Points to either side of what is published: two runs of one code differ by up to one, and papers
# report the best epoch on the test images, we the last.
TOLERANCE = 1.5
# What a second stage begins with, where it is not cross-entropy.
_BEGINS_WITH = {"mislas": "mixup", "bag_of_tricks": "mixup"}


def beside(row: Row, test: str) -> list[Published]:
    """Return what is published of a test of a row: of the very config, change and data.

    A row is that of its config where it is called by it, or where the folder says so; one that
    began with another network, or trained longer, has another name.
    """
    weights, _, change = test.partition("+")
    begun = f"{_BEGINS_WITH.get(row.config, 'ce')}_{row.config}"
    own = row.name in (row.config, begun, *row.folder.configs)
    if weights != "last" or not own:
        return []
    asked = (row.config, change, row.folder.data, row.folder.ratio)
    return [
        one
        for one in published.all_rows()
        if (one.config, one.change, one.data, one.ratio) == asked
    ]


def band(found: Sequence[Published]) -> tuple[float, float] | None:
    """Return the lowest and the highest accuracy that agree with the numbers of 200 epochs."""
    values = [row.value for row in found if row.of_200_epochs]
    return (min(values) - TOLERANCE, max(values) + TOLERANCE) if values else None


def off(value: float, within: tuple[float, float] | None) -> float:
    """Return by how many points a value is above its band, negative where it is below, or 0."""
    if within is None:
        return 0.0
    low, high = within
    return value - high if value > high else min(value - low, 0.0)
