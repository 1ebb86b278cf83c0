"""The whole page: what its templates are filled with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from markupsafe import Markup

from lt_lightning.figures import svg
from lt_lightning.report.cell import Grid
from lt_lightning.report.charts import Gallery, gallery
from lt_lightning.report.dataset import Data
from lt_lightning.report.networks import size_note
from lt_lightning.report.page.classes import Classes, class_tables
from lt_lightning.report.page.mistakes import Looked, looked_at
from lt_lightning.report.page.numbers import all_numbers, differences
from lt_lightning.report.page.overview import beside_published, overview
from lt_lightning.report.page.runs import all_runs, definitions
from lt_lightning.report.page.table import Table
from lt_lightning.report.ranking import ranking
from lt_lightning.report.run import Run
from lt_lightning.report.survey import caption, survey, told_left_out

_TITLE = "Long-tailed classification"
_TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True)
class Section:
    """One data set."""

    label: str
    facts: str
    taken_over: bool  # whether some minutes are those of a last stage alone
    numbers: Table
    sizes: str | None
    differences: Table | None
    gallery: Gallery
    classes: list[Classes]
    mistakes: list[Looked]
    not_shown: list[str]


def page(runs: Sequence[Run], left_out: Mapping[Path, str] = MappingProxyType({})) -> str:
    """Return the report on finished runs as one HTML page.

    Args:
        runs: at least one.
        left_out: for runs whose pictures are not shown, by their folders, a sentence that says why.
    """
    grid = Grid.of(runs)
    found = survey(grid)
    environment = svg.environment(_TEMPLATES)
    environment.globals["draw"] = svg.draw
    return environment.get_template("page.html.jinja").render(
        style=Markup((_TEMPLATES / "style.css").read_text(encoding="utf-8")),
        title=next(iter(grid.data_labels.values())) if len(grid.data_labels) == 1 else _TITLE,
        counts=_counts(grid, runs),
        runs=len(runs),
        caption=caption(found, "below it"),
        overview=overview(grid, found),
        notes=found.notes,
        sections=[_section(grid, data, left_out) for data in grid.data_labels],
        published=beside_published(grid),
        all_runs=all_runs(grid, runs),
        older=told_left_out(grid),
        definitions=definitions(runs),
    )


def _counts(grid: Grid, runs: Sequence[Run]) -> str:
    found = ((len(runs), "run"), (grid.remedies, "method"), (len(grid.data_labels), "data set"))
    return ", ".join(f"{number} {what}" + ("" if number == 1 else "s") for number, what in found)


def _section(grid: Grid, data: Data, left_out: Mapping[Path, str]) -> Section:
    found, shown = ranking(grid, data), gallery(grid, data)
    folders = {entry.run.folder for cell in grid.column(data) for entry in cell.entries}
    return Section(
        label=grid.data_labels[data],
        facts=_facts(grid, data),
        taken_over=any(cell.first.took_over for cell, _ in found.rows),
        numbers=all_numbers(found),
        sizes=size_note(cell for cell, _ in found.rows),
        differences=differences(grid, data),
        gallery=shown,
        classes=class_tables([cell for _, cell in shown.cells]),
        mistakes=looked_at([cell for _, cell in shown.cells]),
        not_shown=[
            f"The pictures of {'/'.join(folder.resolve().parts[-2:])} are not shown: {why}"
            for folder, why in left_out.items()
            if folder in folders
        ],
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
