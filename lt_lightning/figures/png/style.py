"""What the pictures share: colours, legends, the file."""

import io
import warnings

from matplotlib.figure import Figure
from matplotlib.legend import Legend

# Blue, orange and wine differ in lightness too, so they stay apart for colour-blind eyes and in
# grey; each group has its own marker besides.
GROUP_STYLES = (
    ("#0072B2", "o"), ("#E69F00", "s"), ("#882255", "^"), ("#009E73", "D"), ("#56B4E9", "v"),
    ("#CC79A7", "P"), ("#000000", "X"),
)  # fmt: skip
OTHER_STYLE = ("#777777", "x")
ACCURACY, OVER, UNDER, LINE = "#56B4E9", "#D55E00", "#009E73", "#0072B2"


def legend_name(name: str) -> str:
    """Return a name that matplotlib shows: it leaves out those with an underscore in front."""
    return f" {name}" if name.startswith("_") else name


def plain_names(legend: Legend) -> None:
    """Show the names as they are; a dollar sign begins no formula."""
    for text in legend.get_texts():
        text.set_parse_math(False)


def to_png(figure: Figure) -> bytes:
    """Return the figure as the content of a PNG file."""
    stream = io.BytesIO()
    with warnings.catch_warnings():
        # Class names may be in a script that matplotlib's own font lacks; boxes are drawn then.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from ")
        figure.savefig(stream, format="png", dpi=120)
    return stream.getvalue()
