"""The whole page."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from lt_lightning.report.cell import Grid
from lt_lightning.report.dataset import Data
from lt_lightning.report.page.drawings import drawings
from lt_lightning.report.page.numbers import all_numbers, differences
from lt_lightning.report.page.overview import beside_published, overview
from lt_lightning.report.page.runs import all_runs, how_to_read
from lt_lightning.report.run import Run

_STYLE = Path(__file__).with_name("style.css")


def page(runs: Sequence[Run]) -> str:
    """Return the report on finished runs as one HTML page.

    Args:
        runs: at least one.
    """
    grid = Grid.of(runs)
    parts = [_title(grid, runs), overview(grid)]
    parts += [_section(grid, data, k) for k, data in enumerate(grid.data_labels)]
    parts += [beside_published(grid), all_runs(grid, runs), how_to_read(runs)]
    return (
        '<!DOCTYPE html>\n<!-- lt report -->\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="data:,">'
        f"<title>Long-tailed classification: {len(runs)} runs</title>"
        f"<style>{_STYLE.read_text(encoding='utf-8')}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def _title(grid: Grid, runs: Sequence[Run]) -> str:
    links = [("overview", "All methods")]
    links += [(f"data{k}", label) for k, label in enumerate(grid.data_labels.values())]
    links += [("runs", "Runs"), ("reading", "How to read it")]
    listed = "".join(f'<a href="#{place}">{escape(name)}</a>' for place, name in links)
    size = ", ".join(
        (
            _counted(len(runs), "run"),
            _counted(grid.remedies, "method"),
            _counted(len(grid.data_labels), "data set"),
        )
    )
    return f"<header><h1>Long-tailed classification</h1><p>{size}</p><nav>{listed}</nav></header>"


def _section(grid: Grid, data: Data, number: int) -> str:
    return (
        f'<section id="data{number}" class="data"><h2>{escape(grid.data_labels[data])}</h2>'
        f"<p>{escape(_facts(grid, data))}</p>"
        f"{all_numbers(grid, data)}{differences(grid, data)}{drawings(grid, data)}</section>"
    )


def _facts(grid: Grid, data: Data) -> str:
    entry = grid.column(data)[0].first
    facts = entry.run.content["data"]
    counts = facts["class_counts"]
    groups = ", ".join(f"{name} {len(members)}" for name, members in facts["groups"].items())
    classes = "1 class" if len(counts) == 1 else f"{len(counts):,} classes"
    images = f"{sum(counts):,} training images of {classes}"
    span = f"{max(counts):,} to {min(counts):,} a class" if counts else "no classes"
    return (
        f"{images}, {span}; classes in the groups: {groups or 'none'}; "
        f"{entry.evaluation['images']:,} test images."
    )
