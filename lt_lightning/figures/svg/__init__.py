"""Figures as SVG text.

Colours come from the page's style sheet, so that it can be light or dark.
"""

from lt_lightning.figures.svg.draw import Drawable, draw
from lt_lightning.figures.svg.jinja import TEMPLATES, environment

__all__ = ["TEMPLATES", "Drawable", "draw", "environment"]
