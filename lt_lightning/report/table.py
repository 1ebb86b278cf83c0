"""One table of finished runs, read from their results.json."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from lt_lightning.errors import UserError, printable
from lt_lightning.report.begin import begun, took_over
from lt_lightning.report.measures import WORST, Measure, measures_of
from lt_lightning.report.sizes import Size, millions, of_one, several
from lt_lightning.runs import origin
from lt_lightning.runs.evaluations import on_other_images, parts, under_own_conditions
from lt_lightning.runs.results import FILE_NAME, epochs_told, read_results

_LEVELS = 4  # a run, the runs of a name, the runs of a folder or a sweep, the sweeps of a folder


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
    took_over: bool
    size: Size
    notes: tuple[str, ...]


class Runs(NamedTuple):
    """Run folders, and those among them that have no results yet."""

    finished: list[Path]
    passed_over: list[Path]


def find_runs(paths: Sequence[str], newest: bool) -> Runs:
    """Return the run folders that the paths name: runs themselves, or folders of runs.

    What has no results is passed over where another path has some.

    Raises:
        UserError: if a path is not there, or none holds a finished run.
    """
    finished: list[Path] = []
    passed_over: list[Path] = []
    for path in map(Path, paths):
        if path.name == FILE_NAME and path.is_file():
            path = path.parent
        if not path.is_dir():
            raise _no_run(path)
        done, others = _runs_of(path)
        finished += done[-1:] if newest else done
        passed_over += others
    if not finished:
        raise _no_run(passed_over[0] if passed_over else Path(paths[0]))
    return Runs(_once(finished), _once(passed_over))


def _runs_of(path: Path) -> tuple[list[Path], list[Path]]:
    """Return the finished runs of a path, the newest last, and what is passed over there."""
    done: list[Path] = []
    passed_over: list[Path] = []
    level = [path]
    for _ in range(_LEVELS):
        finished = [folder for folder in sorted(level) if (folder / FILE_NAME).is_file()]
        others = [folder for folder in sorted(level) if folder not in finished]
        started = [folder for folder in others if _has_begun(folder)]
        done += finished
        passed_over += started
        # What lies in a run is a part of it: its pre-training, which is done before the run is.
        level = [inner for f in others if f not in started for inner in f.glob("*/")]
    return sorted(done, key=begun), passed_over if done else passed_over or [path]


def _has_begun(folder: Path) -> bool:
    """Return whether a folder is that of a run; the config comes after a pre-training."""
    return any((folder / name).is_file() for name in ("config.yaml", origin.FILE))


def _no_run(path: Path) -> UserError:
    return UserError(f"{path} holds no finished run: give run folders with a {FILE_NAME}.")


def _once(folders: Sequence[Path]) -> list[Path]:
    return list({folder.resolve(): folder for folder in folders}.values())


def load_rows(folders: Sequence[Path]) -> list[Row]:
    """Return one row for each evaluation of each run."""
    contents = {folder: read_results(folder / FILE_NAME) for folder in folders}
    measures = [one for one in measures_of(contents.values()) if one != WORST]
    names = _names(folders)
    rows = []
    for folder, content in contents.items():
        training = content["training"]
        seconds = training["seconds"]
        size = Size(training.get("multiply_adds"), training["parameters"])
        for label in sorted(content["evaluations"], key=_order):
            evaluation = content["evaluations"][label]
            rows.append(
                Row(
                    method=names[folder],
                    folder=folder,
                    checkpoint=evaluation["checkpoint"].get("chosen_by", "not stated"),
                    numbers={one: one.of(evaluation) for one in measures},
                    minutes=None if seconds is None else seconds / 60,
                    took_over=took_over(folder, content["command"]),
                    size=size,
                    notes=_notes(content, evaluation),
                )
            )
    return rows


def _names(folders: Sequence[Path]) -> dict[Path, str]:
    """Return the end of each path, as much of it as tells them apart."""
    paths = [folder.resolve().parts for folder in folders]
    for length in range(2, max(map(len, paths), default=2)):
        found = ["/".join(parts[-length:]) for parts in paths]
        if len(set(found)) == len(set(paths)):
            break
    return dict(zip(folders, found, strict=True))


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
    elif under_own_conditions(label, evaluation) and parts(label)[2]:
        notes.append("a change with other options or values than that of the same name")
    elif parts(label)[2]:
        notes.append(f"tested under other conditions: {parts(label)[2]}")
    told = epochs_told(content["training"])
    if " of " in told and parts(label)[0] != "stage1":
        notes.append(f"its training was cut, epochs: {told}")
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
    apart = several([row.size for row in rows])
    costs = ["parameters", "multiply-adds"] if apart else []
    table = [["run", *(f"{one.heading} %" for one in measures), *costs, "minutes", "weights"]]
    for row in rows:
        numbers = [row.numbers.get(one) for one in measures]
        size = [row.size.parameters, row.size.multiply_adds] if apart else []
        table.append(
            [
                row.method + "".join(marks[note] for note in row.notes),
                *("-" if value is None else f"{value:.2f}" for value in numbers),
                *(millions(value) or "-" for value in size),
                _minutes(row),
                row.checkpoint,
            ]
        )
    table += [[f"{mark} {note}"] for note, mark in marks.items()]
    table += [[told] for told in (apart or of_one(rows[0].size),) if told]
    if any(row.took_over for row in rows):
        table.append(["+ minutes of a training that began with the weights of another run"])
    return [[printable(cell) for cell in line] for line in table]


def _minutes(row: Row) -> str:
    if row.minutes is None:
        return "-"
    return f"{'+ ' if row.took_over else ''}{row.minutes:.1f}"


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
