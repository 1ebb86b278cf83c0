"""Draw the README's figure: accuracy of each class over its training images.

python results/figure.py CE=results/.../ce BBN=results/.../bbn docs/accuracy_per_class.png
"""

import argparse
import json
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

# Okabe and Ito's colours, which the colour-blind can tell apart.
STYLES = [("#000000", "o"), ("#0072B2", "s"), ("#D55E00", "^"), ("#009E73", "D"), ("#CC79A7", "v")]


def main() -> None:
    """Read the runs and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", metavar="NAME=FOLDER")
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    figure = Figure(figsize=(7.2, 3.8), layout="constrained")
    axes = figure.add_subplot()
    for given, (colour, marker) in zip(options.runs, STYLES, strict=False):
        name, _, folder = given.partition("=")
        content = json.loads((Path(folder) / "results.json").read_text(encoding="utf-8"))
        last = content["evaluations"]["last"]
        sizes = [row["training_images"] for row in last["classes"]]
        values = [100 * row["accuracy"] for row in last["classes"]]
        label = f"{name} (macro {100 * last['overall']['acc_macro']:.1f} %)"
        axes.plot(sizes, values, color=colour, marker=marker, label=label)
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


if __name__ == "__main__":
    main()
