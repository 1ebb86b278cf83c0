"""How far a measured number may be from the published ones."""

from collections.abc import Sequence

from manual import published
from manual.published import Published
from manual.runs import Folder

# Points to either side of what is published: two runs of one code differ by up to one, and papers
# report the best epoch on the test images, we the last.
TOLERANCE = 1.5


def beside(config: str, change: str | None, folder: Folder) -> list[Published]:
    """Return what is published of a config, or of a change of `ce`, on the data of a folder."""
    if change is not None and config != "ce":
        return []
    asked = (folder.data, folder.ratio)
    return [row for row in published.of_config(config, change) if (row.data, row.ratio) == asked]


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
