"""The values that a change after training was chosen from, of one run."""

from collections.abc import Mapping

from lt_lightning.figures.chart import Chart, Point, Series
from lt_lightning.figures.scale import around


def knob_chart(curve: Mapping[float, float], value: float, knob: str, images: str) -> Chart:
    """Return the macro accuracy over the values of a knob, and the value that was chosen.

    Args:
        curve: macro accuracy in [0, 1] by value.
        value: the one that was chosen.
        knob: its name, such as tau.
        images: the images that were scored, such as held-out.
    """
    points = [Point(tried, 100 * accuracy) for tried, accuracy in curve.items()]
    chosen = Point(value, 100 * curve[value])
    return Chart(
        f"{knob} chosen on {images} images",
        around(knob, [point.x for point in points]),
        around(f"macro accuracy on {images} images (%)", [point.y for point in points]),
        [Series("tried", 0, points), Series(f"chosen: {chosen.x:g}", 1, [chosen])],
    )
