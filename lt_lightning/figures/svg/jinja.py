"""Where the templates lie and how they are filled: every value is escaped."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lt_lightning.figures.svg.frame import shape

TEMPLATES = Path(__file__).with_name("templates")


def environment(*folders: Path) -> Environment:
    """Return what fills the templates of these folders and of the figures."""
    found = Environment(
        loader=FileSystemLoader([*folders, TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["fixed"] = lambda value: f"{value:.1f}"
    found.globals["shape"] = shape
    return found


@cache
def of_figures() -> Environment:
    """Return what fills the templates of the figures."""
    return environment()
