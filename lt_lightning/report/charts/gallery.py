"""The figures of one data set, each with its heading and its caption."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from lt_lightning.figures.class_size import NO_GROUP, binned
from lt_lightning.figures.confusion import Confusion
from lt_lightning.figures.svg import Drawable
from lt_lightning.report.cell import Cell, Grid
from lt_lightning.report.charts.class_size import accuracy_chart, norm_chart
from lt_lightning.report.charts.cost import MINUTES, PARAMETERS, cost_chart
from lt_lightning.report.charts.curves import curve_charts
from lt_lightning.report.charts.single import clouds_of, confusion_of, reliability_of
from lt_lightning.report.charts.tau import tau_chart
from lt_lightning.report.dataset import Data
from lt_lightning.report.measures import group_names
from lt_lightning.report.ranking import by_accuracy

DRAWN = 7  # the colours that the colour-blind can tell apart
_MOST = 8  # mistakes that are told
_MISTAKES = "The most frequent mistakes, by their share of the class:"
Styled = list[tuple[int, Cell]]


@dataclass(frozen=True)
class Picture:
    """A figure with the words around it."""

    heading: str
    figure: Drawable
    caption: str
    lines: Sequence[str] = ()


@dataclass(frozen=True)
class Gallery:
    """All figures of a data set.

    Attributes:
        cells: the rows that are drawn, with their styles.
        rows: how many there are.
        charts: of all methods together.
        reliability: one for each method that has any; so are the following.
        confusion: confusion matrices.
        features: test features in the plane.
        groups: the groups in these, with their styles.
    """

    cells: Styled
    rows: int
    charts: list[Picture]
    reliability: list[Picture]
    confusion: list[Picture]
    features: list[Picture]
    groups: list[tuple[str, int]] = field(default_factory=list)


def drawn(grid: Grid, data: Data) -> Styled:
    """Return the cells that are drawn, with their styles: the baseline and the most accurate."""
    cells, first = by_accuracy(grid.column(data)), grid.baselines(data)[:1]
    chosen = [cell for cell in cells if cell not in first]
    return list(enumerate([*first, *chosen][:DRAWN]))


def gallery(grid: Grid, data: Data) -> Gallery:
    """Return all figures of a data set."""
    cells = drawn(grid, data)
    order = group_names(entry.run.content for _, cell in cells for entry in cell.entries)
    features, groups = _features(cells, order)
    return Gallery(
        cells=cells,
        rows=len(grid.column(data)),
        charts=_charts(cells, order),
        reliability=_reliability(cells),
        confusion=_confusion(cells),
        features=features,
        groups=groups,
    )


def _charts(cells: Styled, groups: Sequence[str]) -> list[Picture]:
    seeds, band = _seeds(cells), _seeds(cells, "; the band is one standard deviation")
    bar = _seeds(cells, "; the bar is one standard deviation")
    bins = binned(len(cells[0][1].first.run.content["data"]["class_counts"]))
    on_test = any(entry.test_seen for _, cell in cells for entry in cell.entries)
    curves = curve_charts(cells, groups, "on TEST images" if on_test else "on held-out images")
    told = [
        (accuracy_chart(cells), f"{bins}{seeds}."),
        *((chart, f"{band}.") for chart in curves),
        (norm_chart(cells), f"{bins}{seeds}."),
        (tau_chart(cells), f"On the images it was chosen on, never the test split. {seeds}."),
        (cost_chart(cells, MINUTES), f"{bar}.{_machines(cells)}"),
        (cost_chart(cells, PARAMETERS), f"{bar}."),
    ]
    return [Picture(chart.title, chart, text) for chart, text in told if chart is not None]


def _seeds(cells: Styled, spread: str = "") -> str:
    """Return what a point stands for."""
    several = any(len(cell.entries) > 1 for _, cell in cells)
    return f"Means over the seeds{spread}" if several else "One seed"


def _machines(cells: Styled) -> str:
    """Return what minutes depend on."""
    devices = {str(e.run.content["hardware"].get("device")) for _, c in cells for e in c.entries}
    text = f" Measured on {'; '.join(sorted(devices))}."
    taken = [cell.title for _, cell in cells if cell.first.took_over]
    if taken:
        text += f" Of the last stage alone, after another run: {', '.join(taken)}."
    if len(devices) > 1:
        text += " Minutes of different machines do not compare."
    return text


def _reliability(cells: Styled) -> list[Picture]:
    pictures = []
    for _, cell in cells:
        found = reliability_of(cell)
        if found.bins:
            bins = f"{found.images:,} images in {len(found.bins)} bins that hold any"
            text = f"ECE {100 * found.ece:.1f} %, {bins}."
            pictures.append(Picture(cell.title, found, text))
    return pictures


def _confusion(cells: Styled) -> list[Picture]:
    found = [(cell, confusion_of(cell)) for _, cell in cells]
    pictures = []
    for cell, one in found:
        if one is not None:
            told = _mistakes(one)
            text = f"{one.images:,} images. {_MISTAKES if told else 'None was mistaken.'}"
            pictures.append(Picture(cell.title, one, text, told))
    return pictures


def _mistakes(found: Confusion) -> list[str]:
    return [
        f"{true} taken for {predicted}: {images:,} of {of:,}"
        for true, predicted, images, of in found.mistakes(_MOST)
    ]


def _features(cells: Styled, order: Sequence[str]) -> tuple[list[Picture], list[tuple[str, int]]]:
    """Return the figures, and the groups in any of them with their styles, in order."""
    pictures, styles = [], set()
    for _, cell in cells:
        known = clouds_of(cell, order)
        if known is not None:
            run, found = known
            styles |= {(one.group, one.style) for one in found.groups}
            seed = run.content["seeds"]["training"]
            told = "seed not known" if seed is None else f"seed {seed}"
            text = f"{len(found.points):,} test images, as many of each class; {told}."
            pictures.append(Picture(cell.title, found, text))
    places = {NO_GROUP: len(order)} | {name: k for k, name in enumerate(order)}
    return pictures, sorted(styles, key=lambda one: places[one[0]])
