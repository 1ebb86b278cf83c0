"""An inspection as lines of text and as a picture."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from statistics import median

from lt_lightning.errors import counted, printable
from lt_lightning.figures.chart import Chart, Point, Series
from lt_lightning.figures.scale import around, wide
from lt_lightning.inspection.asked import Asked
from lt_lightning.inspection.inspect import Inspection
from lt_lightning.inspection.oddities import alike, below, missing, twice
from lt_lightning.inspection.seen import Seen
from lt_lightning.metrics import ShotGroups

_BAR, _NAME, _ROWS = 40, 24, 30


def lines(found: Inspection, asked: Asked) -> Iterator[str]:
    """Yield the report line by line; the last is the command to use next."""
    root = asked.root
    counts = found.counts["train"]
    images = ", ".join(f"{sum(of)} in {split}" for split, of in found.counts.items())
    yield f"{printable(str(asked))}: {len(found.names)} classes, images: {images}"
    yield ""
    yield from _histogram(found.names, counts)
    yield ""
    for name, members in ShotGroups()(counts).items():
        classes = counted(len(members), "class", "classes")
        images = counted(sum(counts[c] for c in members), "training image")
        yield f"{name}: {classes}, {images}"
    yield f"largest class over smallest: {max(counts) / max(min(counts), 1):.4g}"
    if found.sizes:
        yield _sizes(found.sizes)
    yield ""
    problems = list(_problems(found, root))
    yield from (f"- {printable(line)}" for line in problems or ["nothing odd was found"])
    yield ""
    yield f"Next{', when they are mended' if found.refusal else ''}: {asked.command(found)}"


def _histogram(names: Sequence[str], counts: Sequence[int]) -> Iterator[str]:
    order = sorted(range(len(names)), key=lambda c: -counts[c])
    half = _ROWS // 2
    for place, c in enumerate(order):
        if len(order) > _ROWS and half <= place < len(order) - half:
            if place == half:
                yield f"{'...':<{_NAME}} {len(order) - 2 * half} more classes"
            continue
        bar = "#" * max(round(_BAR * counts[c] / max(*counts, 1)), 1 if counts[c] else 0)
        yield f"{printable(names[c])[:_NAME]:<{_NAME}} {counts[c]:>7} {bar}".rstrip()


def _sizes(sizes: Sequence[tuple[int, int]]) -> str:
    by_area = sorted(sizes, key=lambda size: size[0] * size[1])
    small, large = by_area[0], by_area[-1]
    middle = [round(median(size[axis] for size in sizes)) for axis in (0, 1)]
    return (
        f"pixels: {small[0]}x{small[1]} to {large[0]}x{large[1]}, "
        f"in the middle {middle[0]}x{middle[1]}"
    )


def _problems(found: Inspection, root: Path) -> Iterator[str]:
    kinds: dict[str, list[Seen]] = defaultdict(list)
    for one in found.faults:
        kinds[one.kind].append(one)
    by_number = sorted(kinds.values(), key=len, reverse=True)
    for faulty in by_number:  # all of them, for each has a remedy of its own
        first = faulty[0]
        told = f"{below(first.path, root)}{f': {first.remedy}' if first.remedy else ''}"
        yield f"{len(faulty)} of the images {first.fault}, such as {told}"
    if found.refusal:
        yield f"without them training is refused too: {found.refusal}"
    for where, groups in (
        ("under two classes", found.twins.classes),
        ("in two splits", found.twins.splits),
        ("there twice", found.twins.inside),
    ):
        yield from twice(where, groups, root)
    yield from missing(found.names, found.counts)
    yield from found.shared
    yield from alike(found.confusable)


def chart(found: Inspection) -> Chart:
    """Return the training images of the classes, the largest first, and where each group ends."""
    counts = found.counts["train"]
    sizes = sorted((count for count in counts if count), reverse=True)
    points = [Point(place + 1, count) for place, count in enumerate(sizes)]
    groups = {name: len(members) for name, members in ShotGroups()(counts).items()}
    ends = [points[end - 1] for end in accumulate(groups.values()) if end <= len(points)]
    told = ", ".join(f"{name} {count}" for name, count in groups.items())
    return Chart(
        f"{len(counts)} classes, {sizes[0]} to {sizes[-1]} training images",
        around("class, the largest first", [1.0, float(len(sizes))]),
        wide("training images", [float(sizes[-1]), float(sizes[0])]),
        [Series("training images", 0, points), Series(f"last of {told}", 1, ends)],
    )
