"""A line, and what was chosen on it."""

from matplotlib.figure import Figure

from lt_lightning.figures.chart import Chart
from lt_lightning.figures.png.style import LINE, OVER


def draw_chart(chart: Chart) -> Figure:
    """Return the picture: series of several points as lines, those of one as a large marker."""
    figure = Figure(figsize=(5.6, 3.8), layout="constrained")
    axes = figure.add_subplot()
    for one in chart.series:
        x, y = [point.x for point in one.points], [point.y for point in one.points]
        if one.style == 0:
            axes.plot(x, y, color=LINE, marker="o", markersize=4)
        else:
            axes.plot(x, y, color=OVER, marker="D", markersize=9, linestyle="none", label=one.name)
    axes.set(xlabel=chart.x.label, ylabel=chart.y.label)
    if chart.y.log:
        axes.set_yscale("log")
    axes.set_title(chart.title)
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    return figure
