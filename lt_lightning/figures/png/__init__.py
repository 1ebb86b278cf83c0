"""Figures of one run as PNG, by matplotlib.

No global state of pyplot is touched, so they work without a display and in any thread.
"""

from lt_lightning.figures.png.chart import draw_chart
from lt_lightning.figures.png.class_accuracy import draw_class_accuracy
from lt_lightning.figures.png.clouds import draw_clouds
from lt_lightning.figures.png.confusion import draw_confusion
from lt_lightning.figures.png.reliability import draw_reliability, draw_side_by_side
from lt_lightning.figures.png.style import to_png

__all__ = [
    "draw_chart",
    "draw_class_accuracy",
    "draw_clouds",
    "draw_confusion",
    "draw_reliability",
    "draw_side_by_side",
    "to_png",
]
