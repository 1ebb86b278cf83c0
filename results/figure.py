"""Draw the README's figure: accuracy of each class over its training images.

python -m results.figure CE=cifar10_lt_100_short/ce docs/accuracy_per_class.png

The seeds of a row are drawn as their mean, with a bar from the lowest to the highest.
"""

import argparse
import statistics
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

from manual.runs import rows

# Okabe and Ito's colours, which the colour-blind can tell apart.
STYLES = [("#000000", "o"), ("#0072B2", "s"), ("#D55E00", "^"), ("#009E73", "D"), ("#CC79A7", "v")]


def main() -> None:
    """Read the runs and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="+", metavar="NAME=FOLDER/ROW[:TEST]")
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    figure = Figure(figsize=(7.2, 3.8), layout="constrained")
    axes = figure.add_subplot()
    for shift, (given, style) in enumerate(zip(options.rows, STYLES, strict=False)):
        name, _, place = given.partition("=")
        row, _, test = place.partition(":")
        tests = [run["evaluations"][test or "last"] for run in rows()[row].tested(test or "last")]
        _draw(axes, name, tests, style, 1.015**shift)
    axes.set_xscale("log")
    axes.invert_xaxis()
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.set_xlabel("training images of the class")
    axes.set_ylabel("test accuracy of the class (%)")
    axes.set_ylim(0, 100)
    axes.set_title("CIFAR-10-LT, imbalance ratio 100: frequent classes left, rare ones right")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(options.out, dpi=130)


def _draw(
    axes: Axes, name: str, tests: list[dict[str, Any]], style: tuple[str, str], shift: float
) -> None:
    """Draw one line; its sizes are moved a little, so that bars do not hide one another."""
    colour, marker = style
    sizes = [shift * one["training_images"] for one in tests[0]["classes"]]
    values = [
        [100 * one["accuracy"] for one in seeds]
        for seeds in zip(*(test["classes"] for test in tests), strict=True)
    ]
    means = [statistics.mean(seeds) for seeds in values]
    below = [mean - min(seeds) for mean, seeds in zip(means, values, strict=True)]
    above = [max(seeds) - mean for mean, seeds in zip(means, values, strict=True)]
    macro = 100 * statistics.mean(test["overall"]["acc_macro"] for test in tests)
    axes.errorbar(
        sizes,
        means,
        yerr=[below, above],
        color=colour,
        marker=marker,
        markersize=5,
        capsize=2,
        elinewidth=0.8,
        label=f"{name} (macro {macro:.1f} %)",
    )


if __name__ == "__main__":
    main()
