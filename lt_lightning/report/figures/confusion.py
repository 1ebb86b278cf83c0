"""Confusion matrices, classes ordered from head to tail."""

import base64
from html import escape

from lt_lightning.report.cell import Cell
from lt_lightning.report.figures import png, ramp
from lt_lightning.report.figures.svg import frame

NAMED = 20  # more names than this cannot be read
_ANNOTATED = 12
_PIXELS = 200  # more classes than this are summed over neighbours
_SIDE = 280
_LETTERS = 13
# A single share is small among many classes: its root spreads the dark end; by tenths of a percent.
_ROOTS = [ramp.index((10 * tenths) ** 0.5) for tenths in range(1001)]


def confusion(cell: Cell) -> list[list[int]] | None:
    """Return the images of each true class by predicted class, summed over the seeds.

    Rows are true classes; both are ordered by training images, the largest class first. None where
    a run has no table, or the seeds have classes of other sizes.
    """
    facts = cell.first.run.content["data"]
    classes = len(facts["class_counts"])
    found = [entry.evaluation.get("confusion") or [] for entry in cell.entries]
    sizes = [entry.run.content["data"]["class_counts"] for entry in cell.entries]
    if [] in found or any(size != sizes[0] for size in sizes):
        return None
    table = [[0] * classes for _ in range(classes)]
    for rows in found:
        for row, text in zip(table, rows, strict=True):
            for pair in text.split():
                predicted, _, images = pair.partition(":")
                row[int(predicted)] += int(images)
    order = head_to_tail(cell)
    return [[table[true][predicted] for predicted in order] for true in order]


def head_to_tail(cell: Cell) -> list[int]:
    """Return the classes, those with most training images first."""
    counts = cell.first.run.content["data"]["class_counts"]
    return sorted(range(len(counts)), key=lambda k: -counts[k])


def shares(table: list[list[int]]) -> list[list[float | None]]:
    """Return each row in percent of its images; none where a class has no test image."""
    found: list[list[float | None]] = []
    for row in table:
        images = sum(row)
        found.append([100 * count / images if images else None for count in row])
    return found


def draw(cell: Cell, table: list[list[int]]) -> str:
    """Return the picture: cells with names up to 20 classes, else one pixel a class."""
    title = f"Confusion matrix of {cell.method}"
    if len(table) > NAMED:
        return _picture(title, table)
    names = [str(cell.first.run.content["data"]["class_names"][k]) for k in head_to_tail(cell)]
    return _named(title, shares(table), [_short(name) for name in names])


def _named(title: str, percent: list[list[float | None]], names: list[str]) -> str:
    margin = 22 + 6.4 * max(map(len, names))
    step = (_SIDE + 40 - margin) / len(names)
    parts = []
    for row, values in enumerate(percent):
        y = row * step + 4
        for column, value in enumerate(values):
            x = margin + column * step
            fill = f"fill:{ramp.colour(value)}" if value is not None else "fill:var(--none)"
            hint = "no test images" if value is None else f"{value:.1f} %"
            parts.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{step:.1f}" height="{step:.1f}" '
                f'style="{fill}"><title>{escape(names[row])} taken for {escape(names[column])}: '
                f"{hint}</title></rect>"
            )
            if len(names) <= _ANNOTATED and value is not None and round(value):
                kind = "dark" if value > ramp.MIDDLE else "bright"
                parts.append(_label(x + step / 2, y + step / 2 + 3.5, f"{value:.0f}", kind))
        parts.append(_label(margin - 5, y + step / 2 + 3.5, names[row], "tick", "end"))
    bottom = len(names) * step + 4
    for column, name in enumerate(names):
        x = margin + (column + 0.5) * step
        turned = _label(0, 0, name, "tick", "end")
        parts.append(
            f'<g transform="translate({x + 4:.1f} {bottom + 9:.1f}) rotate(-55)">{turned}</g>'
        )
    height = bottom + margin * 0.85 + 22
    parts.append(_label(margin + len(names) * step / 2, height - 4, "predicted class", "name"))
    turned = _label(0, 0, "true class", "name")
    parts.append(f'<g transform="translate(10 {bottom / 2:.1f}) rotate(-90)">{turned}</g>')
    return frame(title, _SIDE + 48, height, parts)


def _picture(title: str, table: list[list[int]]) -> str:
    """Return one pixel for each class, or for neighbours where there are many."""
    step = -(-len(table) // _PIXELS)
    size = -(-len(table) // step)
    sums = [[0] * size for _ in range(size)]
    for true, row in enumerate(table):
        for predicted, count in enumerate(row):
            sums[true // step][predicted // step] += count
    pixels = bytearray()
    for values in shares(sums):
        pixels += bytes(255 if v is None else _ROOTS[round(10 * v)] for v in values)
    data = base64.b64encode(png.palette_png(size, bytes(pixels), ramp.PALETTE)).decode()
    classes = f"{len(table)} classes, head to tail"
    parts = [
        f'<image x="24" y="4" width="{_SIDE}" height="{_SIDE}" preserveAspectRatio="none" '
        f'style="image-rendering:pixelated" href="data:image/png;base64,{data}"/>',
        _label(24 + _SIDE / 2, _SIDE + 20, f"predicted class ({classes})", "name"),
        f'<g transform="translate(14 {_SIDE / 2}) rotate(-90)">'
        + _label(0, 0, "true class (head at the top)", "name")
        + "</g>",
    ]
    return frame(title, _SIDE + 30, _SIDE + 28, parts)


def _short(name: str) -> str:
    return name if len(name) <= _LETTERS else name[: _LETTERS - 1] + "…"


def _label(x: float, y: float, text: str, kind: str, anchor: str = "middle") -> str:
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
    )
