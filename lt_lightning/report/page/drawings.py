"""The figures of one data set, each with its title, its caption and its legend."""

from collections.abc import Callable, Sequence
from html import escape

from lt_lightning.report.cell import Cell, Grid
from lt_lightning.report.dataset import Data
from lt_lightning.report.figures import confusion as confusions
from lt_lightning.report.figures import features as embedded
from lt_lightning.report.figures.class_size import (
    PerClass,
    accuracies,
    borders,
    by_size,
    relative_norms,
)
from lt_lightning.report.figures.cost import cost
from lt_lightning.report.figures.curves import curves, panels
from lt_lightning.report.figures.lines import lines
from lt_lightning.report.figures.reliability import bins, gap, reliability
from lt_lightning.report.figures.scale import Scale, around, from_zero, percent, wide
from lt_lightning.report.figures.series import Series
from lt_lightning.report.figures.svg import Plot, marker
from lt_lightning.report.figures.tau import tau_curves
from lt_lightning.report.measures import group_names
from lt_lightning.report.ranking import by_accuracy
from lt_lightning.report.run import Run

DRAWN = 7  # the colours that the colour-blind can tell apart
Styled = list[tuple[int, Cell]]


def drawn(grid: Grid, data: Data) -> Styled:
    """Return the cells that are drawn, with their styles: the baseline and the most accurate."""
    cells, first = by_accuracy(grid.column(data)), grid.baselines(data)[:1]
    chosen = [cell for cell in cells if cell not in first]
    return list(enumerate([*first, *chosen][:DRAWN]))


def drawings(grid: Grid, data: Data) -> str:
    """Return all figures of a data set."""
    cells = drawn(grid, data)
    total = len(grid.column(data))
    note = ""
    if total > len(cells):
        note = (
            f"<p>{len(cells)} of {total} rows are drawn: the baseline and the most accurate. "
            "The tables hold all of them.</p>"
        )
    figures = [
        class_size(cells), *training(cells), weight_norms(cells), chosen_tau(cells), *costs(cells),
    ]  # fmt: skip
    lined = "".join(figure for figure in figures if figure)
    return (
        f'<h3>Figures</h3>{note}{_switches(cells)}<div class="figures">{lined}</div>'
        f"{calibration(cells)}{confusion(cells)}{features(cells)}"
    )


def _switches(cells: Styled) -> str:
    """Return one box for each method, which shows and hides its lines."""
    boxes = "".join(
        f'<label><input type="checkbox" class="t{style}" checked>{marker(style)}'
        f"{escape(cell.title)}</label>"
        for style, cell in cells
    )
    return f'<div class="switches"><span>Lines shown:</span>{boxes}</div>'


def _figure(title: str, picture: str, caption: str, series: Sequence[Series] = ()) -> str:
    entries = "".join(
        f'<li class="series s{one.style}">{marker(one.style)}{escape(one.name)}</li>'
        for one in series
    )
    legend = f'<ul class="legend">{entries}</ul>' if entries else ""
    return (
        f"<figure><figcaption><b>{escape(title)}</b></figcaption>{picture}{legend}"
        f"<p>{escape(caption)}</p></figure>"
    )


def _seeds(cells: Styled, spread: str = "") -> str:
    """Return what a point stands for."""
    several = any(len(cell.entries) > 1 for _, cell in cells)
    return f"Means over the seeds{spread}" if several else "One seed"


def _size_axis(series: Sequence[Series]) -> Scale:
    values = [point.x for one in series for point in one.points]
    return around("training images of the class (log scale)", values, log=True)


def _per_class(
    cells: Styled, title: str, label: str, unit: str, values: Callable[[Cell], PerClass | None]
) -> str:
    series = by_size(cells, values, unit)
    if not series:
        return ""
    found = [point.y for one in series for point in one.points]
    y = percent(label, found) if unit else from_zero(label, found)
    lined = borders(cells[0][1])

    def ground(plot: Plot) -> None:
        for k, (size, small, large) in enumerate(lined):
            if plot.x.low < size < plot.x.high:
                plot.rule((size, y.low), (size, y.high), "border")
                # Each a line lower than the one before, so that long names stay apart.
                height = 0.04 + 0.05 * (k % 5)
                plot.note(size, y.high - height * (y.high - y.low), f"{small} | {large}")

    classes = len(cells[0][1].first.run.content["data"]["class_counts"])
    binned = "" if classes <= 12 else f"{classes} classes in 12 bins of equal number. "
    picture = lines(title, _size_axis(series), y, series, ground)
    return _figure(title, picture, f"{binned}{_seeds(cells)}.", series)


def class_size(cells: Styled) -> str:
    """Return accuracy over class size."""
    return _per_class(cells, "Accuracy over class size", "test accuracy (%)", " %", accuracies)


def weight_norms(cells: Styled) -> str:
    """Return the norms of the classifier's weights over class size."""
    title = "Classifier weight norms over class size"
    return _per_class(cells, title, "norm / mean over the classes", "", relative_norms)


def chosen_tau(cells: Styled) -> str:
    """Return the macro accuracy over tau, where a change after training chose it."""
    series = tau_curves(cells)
    if not series:
        return ""
    points = [point for one in series for point in one.points]
    title = "Choice of tau after training"
    x = Scale("tau (no unit)", min(p.x for p in points), max(p.x for p in points))
    y = around("macro accuracy (%)", [point.y for point in points])
    text = f"On the images it was chosen on, never the test split. {_seeds(cells)}."
    return _figure(title, lines(title, x, y, series), text, series)


def training(cells: Styled) -> list[str]:
    """Return the curves over the epochs, one figure for each metric that was logged."""
    on_test = any(entry.test_seen for _, cell in cells for entry in cell.entries)
    where = "on TEST images" if on_test else "on held-out images"
    found = []
    for panel in panels(_groups(cells)):
        series = curves(cells, panel)
        points = [point for one in series for point in one.points]
        if not points or len({point.x for point in points}) < 2:
            continue
        full = f"{panel.title}, {where}" if panel.metric.startswith("val/") else panel.title
        x = Scale("epoch", 0, max(point.x for point in points))
        values = [point.y for point in points]
        y = (
            percent("accuracy (%)", values)
            if panel.in_percent
            else from_zero("loss (nats)", values)
        )
        band = f"{_seeds(cells, '; the band is one standard deviation')}."
        found.append(_figure(full, lines(full, x, y, series), band, series))
    return found


def _groups(cells: Styled) -> list[str]:
    return group_names(entry.run.content for _, cell in cells for entry in cell.entries)


def costs(cells: Styled) -> list[str]:
    """Return accuracy over minutes and over parameters."""
    found = []
    devices = {str(e.run.content["hardware"].get("device")) for _, c in cells for e in c.entries}
    for what, label in (
        ("minutes", "minutes of training"),
        ("parameters", "million parameters"),
    ):
        series = cost(cells, what)
        if not series:
            continue
        points = [one.points[0] for one in series]
        x = wide(label, [point.x for point in points])
        reach = [v for p in points for v in (p.y, p.low, p.high) if v is not None]
        y = around("test accuracy (%)", reach)
        title = f"Accuracy over {what}"
        caption = f"{_seeds(cells, '; the bar is one standard deviation')}."
        if what == "minutes":
            caption += f" Measured on {'; '.join(sorted(devices))}."
        taken = [cell.title for _, cell in cells if cell.first.took_over]
        if what == "minutes" and taken:
            caption += f" Of the last stage alone, after another run: {', '.join(taken)}."
        if what == "minutes" and len(devices) > 1:
            caption += " Minutes of different machines do not compare."
        found.append(_figure(title, lines(title, x, y, series), caption, series))
    return found


def calibration(cells: Styled) -> str:
    """Return a reliability diagram for each method."""
    found = []
    for _, cell in cells:
        known = bins(cell)
        if known:
            images = sum(one.images for one in known)
            text = f"ECE {gap(known):.1f} %, {images:,} images in {len(known)} bins that hold any."
            found.append(_figure(cell.title, reliability(cell, known), text))
    if not found:
        return ""
    keys = (
        '<ul class="legend"><li><i class="swatch bar"></i>accuracy</li>'
        '<li><i class="swatch over"></i>gap: too confident</li>'
        '<li><i class="swatch under"></i>gap: not confident enough</li>'
        '<li><i class="swatch ideal"></i>calibrated</li></ul>'
    )
    return (
        "<h3>Reliability</h3><p>All seeds together; ECE is that of the images of all seeds.</p>"
        f'{keys}<div class="figures small">{"".join(found)}</div>'
    )


def confusion(cells: Styled) -> str:
    """Return a confusion matrix for each method that has one."""
    found = []
    for _, cell in cells:
        counts = confusions.confusion(cell)
        if counts:
            images = sum(map(sum, counts))
            text = f"{images:,} images"
            found.append(_figure(cell.title, confusions.draw(cell, counts), text))
    if not found:
        return ""
    classes = len(cells[0][1].first.run.content["data"]["class_counts"])
    scale = "0 to 100 %" if classes <= confusions.NAMED else "0 to 100 %, root scale"
    return (
        "<h3>Confusion</h3><p>Share of each true class by predicted class, all seeds together; "
        "classes from the most training images to the fewest.</p>"
        f'<p class="ramp"><i></i> {scale}</p><div class="figures small">{"".join(found)}</div>'
    )


def features(cells: Styled) -> str:
    """Return test features in the plane for each method that has them."""
    found, groups, order = [], {}, _groups(cells)
    for _, cell in cells:
        known = embedded.clouds(cell, order)
        if known is not None:
            groups.update({one.group: one.style for one in known.groups})
            text = f"{known.images:,} test images, as many of each class; {_seed(known.run)}."
            found.append(_figure(cell.title, embedded.draw(cell, known), text))
    if not found:
        return ""
    keys = "".join(
        f'<li><svg class="key" viewBox="-12 -7 24 14" aria-hidden="true"><path class="cloud '
        f'g{style}" d="M0 0h0"/></svg>{escape(name)}</li>'
        for name, style in sorted(groups.items(), key=lambda item: [*order, item[0]].index(item[0]))
    )
    return (
        "<h3>Test features</h3><p>t-SNE of what the classifier sees, last epoch, coloured by the "
        "group of the true class. Distances between far groups and their sizes mean nothing.</p>"
        f'<ul class="legend">{keys}</ul><div class="figures small">{"".join(found)}</div>'
    )


def _seed(run: Run) -> str:
    seed = run.content["seeds"]["training"]
    return "seed not known" if seed is None else f"seed {seed}"
