"""One table of finished runs, read from their results.json."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lt_lightning.errors import UserError
from lt_lightning.runs.results import FILE_NAME, read_results

COLUMNS = ("all", "macro", "many", "medium", "few", "ECE")


@dataclass(frozen=True)
class Row:
    """The numbers of one evaluation of one run, in percent; none where a group is empty."""

    method: str
    folder: Path
    checkpoint: str
    numbers: dict[str, float | None]
    minutes: float | None
    notes: tuple[str, ...]


def find_runs(paths: Sequence[str], newest: bool) -> list[Path]:
    """Return the run folders that the paths name: runs themselves, or folders of runs.

    Raises:
        UserError: if a path holds no finished run.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        if path.name == FILE_NAME and path.is_file():
            path = path.parent
        if (path / FILE_NAME).is_file():
            found.append(path)
            continue
        below = sorted(path.glob(f"*/{FILE_NAME}"), key=lambda f: f.stat().st_mtime)
        below = below or sorted(path.glob(f"*/*/{FILE_NAME}"), key=lambda f: f.stat().st_mtime)
        if not below:
            raise UserError(f"{path} holds no finished run: give run folders with a {FILE_NAME}.")
        found += [file.parent for file in (below[-1:] if newest else below)]
    return list({folder.resolve(): folder for folder in found}.values())


def load_rows(folders: Sequence[Path]) -> list[Row]:
    """Return one row for each evaluation of each run."""
    rows = []
    for folder in folders:
        content = read_results(folder / FILE_NAME)
        seconds = content["training"]["seconds"]
        for label in sorted(content["evaluations"], key=_order):
            evaluation = content["evaluations"][label]
            rows.append(
                Row(
                    method="/".join(folder.resolve().parts[-2:]),
                    folder=folder,
                    checkpoint=evaluation["checkpoint"]["chosen_by"],
                    numbers=_numbers(evaluation),
                    minutes=None if seconds is None else seconds / 60,
                    notes=_notes(content, evaluation),
                )
            )
    return rows


def _order(label: str) -> tuple[bool, str]:
    """Put the last epoch first."""
    return label != "last", label


def _numbers(evaluation: dict[str, Any]) -> dict[str, float | None]:
    overall, groups = evaluation["overall"], evaluation["groups"]
    values = {
        "all": overall.get("acc"),
        "macro": overall.get("acc_macro"),
        "many": groups.get("many", {}).get("acc"),
        "medium": groups.get("medium", {}).get("acc"),
        "few": groups.get("few", {}).get("acc"),
        "ECE": overall.get("ece"),
    }
    return {name: None if value is None else 100 * value for name, value in values.items()}


def _notes(content: dict[str, Any], evaluation: dict[str, Any]) -> tuple[str, ...]:
    flags = content["flags"]
    notes = []
    if flags["test_seen_during_training"]:
        notes.append("the test split was looked at during training")
    if flags["oracle"]:
        notes.append("an oracle: it uses data that a method may not have")
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
    table = [["run", *(f"{name} %" for name in COLUMNS), "minutes", "weights"]]
    for row in rows:
        numbers = [row.numbers[name] for name in COLUMNS]
        table.append(
            [
                row.method + "".join(marks[note] for note in row.notes),
                *("-" if value is None else f"{value:.2f}" for value in numbers),
                "-" if row.minutes is None else f"{row.minutes:.1f}",
                row.checkpoint,
            ]
        )
    return table + [[f"{mark} {note}"] for note, mark in marks.items()]


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
