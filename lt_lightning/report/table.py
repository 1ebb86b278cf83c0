"""One table of finished runs, read from their results.json."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lt_lightning.errors import UserError, printable
from lt_lightning.report.measures import WORST, Measure, measures_of
from lt_lightning.runs.evaluations import on_other_images, parts
from lt_lightning.runs.results import FILE_NAME, read_results


@dataclass(frozen=True)
class Row:
    """The numbers of one evaluation of one run, in percent; none where a group is empty.

    The measures are those of all rows of a table.
    """

    method: str
    folder: Path
    checkpoint: str
    numbers: dict[Measure, float | None]
    minutes: float | None
    notes: tuple[str, ...]


def find_runs(paths: Sequence[str], newest: bool) -> list[Path]:
    """Return the run folders that the paths name: runs themselves, or folders of runs.

    Folders without a finished run are passed over where another has one: see `unfinished`.

    Raises:
        UserError: if a path is not there, or none holds a finished run.
    """
    found: list[Path] = []
    missing: Path | None = None
    for path in map(Path, paths):
        if path.name == FILE_NAME and path.is_file():
            path = path.parent
        if (path / FILE_NAME).is_file():
            found.append(path)
            continue
        below = sorted(path.glob(f"*/{FILE_NAME}"), key=lambda f: f.stat().st_mtime)
        below = below or sorted(path.glob(f"*/*/{FILE_NAME}"), key=lambda f: f.stat().st_mtime)
        if not below:
            missing = missing or path
            if not path.is_dir():
                break
        found += [file.parent for file in (below[-1:] if newest else below)]
    if missing is not None and not (found and missing.is_dir()):
        raise UserError(f"{missing} holds no finished run: give run folders with a {FILE_NAME}.")
    return list({folder.resolve(): folder for folder in found}.values())


def unfinished(paths: Sequence[str]) -> list[Path]:
    """Return the run folders that the paths name, or that lie below, without results."""
    found = []
    for path in map(Path, paths):
        begun = [path, *sorted(path.glob("*/")), *sorted(path.glob("*/*/"))]
        runs = [one for one in begun if (one / "config.yaml").is_file()]
        found += [run for run in runs if not (run / FILE_NAME).is_file()]
    return list({folder.resolve(): folder for folder in found}.values())


def load_rows(folders: Sequence[Path]) -> list[Row]:
    """Return one row for each evaluation of each run."""
    contents = {folder: read_results(folder / FILE_NAME) for folder in folders}
    measures = [one for one in measures_of(contents.values()) if one != WORST]
    rows = []
    for folder, content in contents.items():
        seconds = content["training"]["seconds"]
        for label in sorted(content["evaluations"], key=_order):
            evaluation = content["evaluations"][label]
            rows.append(
                Row(
                    method="/".join(folder.resolve().parts[-2:]),
                    folder=folder,
                    checkpoint=evaluation["checkpoint"].get("chosen_by", "not stated"),
                    numbers={one: one.of(evaluation) for one in measures},
                    minutes=None if seconds is None else seconds / 60,
                    notes=_notes(content, evaluation),
                )
            )
    return rows


def _order(label: str) -> tuple[bool, str]:
    """Put the last epoch first."""
    return label != "last", label


def _notes(content: dict[str, Any], evaluation: dict[str, Any]) -> tuple[str, ...]:
    flags = content["flags"]
    notes = []
    if flags["test_seen_during_training"]:
        notes.append("the test split was looked at during training")
    if flags["oracle"]:
        notes.append("an oracle: it uses data that a method may not have")
    label = next(k for k, one in content["evaluations"].items() if one is evaluation)
    if on_other_images(content, label):
        notes.append(f"tested on other images ({parts(label)[2]}) than those of the run")
    elif parts(label)[2]:
        notes.append(f"tested under other conditions: {parts(label)[2]}")
    if evaluation.get("part_of_test"):
        notes.append(f"tested on {evaluation['images']} of the test images only")
    if flags.get("self_supervised"):
        task = [f"{name} {value:.4f}" for name, value in evaluation.get("pretext", {}).items()]
        told = f"; its own task on the test images: {', '.join(task)}" if task else ""
        notes.append(
            "trained without labels: the numbers are those of the nearest class mean of its "
            f"features{told}"
        )
    return tuple(notes)


def _cells(rows: Sequence[Row]) -> list[list[str]]:
    marks = {
        note: "*" * (k + 1)
        for k, note in enumerate(dict.fromkeys(n for r in rows for n in r.notes))
    }
    measures = list(dict.fromkeys(one for row in rows for one in row.numbers))
    table = [["run", *(f"{one.heading} %" for one in measures), "minutes", "weights"]]
    for row in rows:
        numbers = [row.numbers.get(one) for one in measures]
        table.append(
            [
                row.method + "".join(marks[note] for note in row.notes),
                *("-" if value is None else f"{value:.2f}" for value in numbers),
                "-" if row.minutes is None else f"{row.minutes:.1f}",
                row.checkpoint,
            ]
        )
    table += [[f"{mark} {note}"] for note, mark in marks.items()]
    return [[printable(cell) for cell in line] for line in table]


def render(rows: Sequence[Row]) -> str:
    """Return the table for a terminal."""
    cells = _cells(rows)
    full = [line for line in cells if len(line) > 1]
    notes = [line[0] for line in cells if len(line) == 1]
    widths = [max(len(line[k]) for line in full) for k in range(len(full[0]))]
    lines = []
    for line in full:
        middle = [cell.rjust(width) for cell, width in zip(line[1:-1], widths[1:-1], strict=True)]
        lines.append("  ".join([line[0].ljust(widths[0]), *middle, line[-1]]))
    lines.insert(1, "-" * max(map(len, lines)))
    return "\n".join([*lines, *notes])
