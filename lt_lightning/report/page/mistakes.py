"""Pictures of mistakes and of rare classes as parts of the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from lt_lightning.report.cell import Cell
from lt_lightning.report.entry import Entry
from lt_lightning.report.made_of import is_made_of
from lt_lightning.report.mistakes_file import Mistakes, Seen, read_mistakes
from lt_lightning.report.thumbnail import data_url, is_exact


@dataclass(frozen=True)
class Shown:
    """One picture with the words below it.

    Attributes:
        address: what it is drawn from.
        small: whether its pixels are seen.
        true: the name of its class.
        predicted: the name of the class that it was taken for.
        right: whether that is its class.
        confidence: in percent.
        source: its file, or its number.
    """

    address: str
    small: bool
    true: str
    predicted: str
    right: bool
    confidence: str
    source: str


@dataclass(frozen=True)
class Rare:
    """Pictures of a rare class."""

    heading: str
    shown: list[Shown]


@dataclass(frozen=True)
class Looked:
    """What is seen of one method.

    Attributes:
        heading: the method and its seed.
        worst_told: what the first pictures are.
        worst: the most confident mistakes.
        rarest: the rarest classes.
    """

    heading: str
    worst_told: str
    worst: list[Shown]
    rarest: list[Rare]


def looked_at(cells: Sequence[Cell]) -> list[Looked]:
    """Return the mistakes of each method that has any written down, of its first such seed."""
    found = (_first(cell) for cell in cells)
    return [_looked(*one) for one in found if one is not None]


def _first(cell: Cell) -> tuple[Cell, Entry, Mistakes] | None:
    for entry in cell.entries:
        mistakes = read_mistakes(entry.run.folder, len(entry.run.content["data"]["class_names"]))
        if mistakes is None or mistakes.evaluation != entry.label:
            continue
        counted = mistakes.images, mistakes.wrong
        if is_made_of(entry.evaluation, mistakes.weights, mistakes.fingerprint, counted):
            return cell, entry, mistakes
    return None


def _looked(cell: Cell, entry: Entry, mistakes: Mistakes) -> Looked:
    facts, seed = entry.run.content["data"], entry.run.content["seeds"]["training"]
    told = "seed not known" if seed is None else f"seed {seed}"
    of = f"{mistakes.wrong:,} of {mistakes.images:,} test images are wrong"
    first = f"{of}. The {len(mistakes.worst)} most confident:" if mistakes.worst else f"{of}."
    groups = groupby(mistakes.rarest, lambda one: one.true)
    return Looked(
        heading=f"{cell.title}, {told}",
        worst_told=first,
        worst=[_shown(one, facts) for one in mistakes.worst],
        rarest=[_rare(true, list(members), facts) for true, members in groups],
    )


def _rare(true: int, members: list[Seen], facts: Mapping[str, Any]) -> Rare:
    count = facts["class_counts"][true]
    images = "1 training image" if count == 1 else f"{count:,} training images"
    right = sum(one.predicted == true for one in members)
    heading = f"{facts['class_names'][true]}: {images}, {right} of {len(members)} shown are right"
    return Rare(heading, [_shown(one, facts) for one in members])


def _shown(one: Seen, facts: Mapping[str, Any]) -> Shown:
    names = facts["class_names"]
    return Shown(
        address=data_url(one.picture),
        small=is_exact(one.picture),
        true=names[one.true],
        predicted="no class" if one.predicted is None else names[one.predicted],
        right=one.predicted == one.true,
        confidence=f"{100 * one.confidence:.1f}",
        source=one.file or f"test image {one.place}",
    )
