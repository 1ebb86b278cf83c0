"""Every run, and what the words of its results mean."""

from collections.abc import Sequence
from dataclasses import replace

from lt_lightning.report.cell import Grid
from lt_lightning.report.page.table import Column, Table, fixed, told
from lt_lightning.report.run import Run
from lt_lightning.report.survey import NOTE_TEXTS
from lt_lightning.runs.results import epochs_told


def all_runs(grid: Grid, runs: Sequence[Run]) -> Table:
    """Return one row for each run."""
    columns = [
        Column("run", text=True), Column("seed"), Column("subset seed"),
        Column("training images", text=True), Column("epochs"), Column("minutes"),
        Column("device", text=True), Column("evaluations", text=True), Column("version", text=True),
    ]  # fmt: skip
    rows = []
    for run in runs:
        content, training = run.content, run.content["training"]
        minutes = None if training["seconds"] is None else training["seconds"] / 60
        older = ["older repetition"] if run.folder in grid.left_out else []
        tests = (
            f"{label}: {one['checkpoint'].get('chosen_by', 'not stated')}"
            for label, one in content["evaluations"].items()
        )
        rows.append(
            [
                replace(told(run.folder), badges=older),
                told(content["seeds"]["training"]),
                told(content["seeds"]["subset"]),
                told(content["data"]["fingerprint"]),
                told(epochs_told(training)),
                fixed(minutes, 1),
                told(content["hardware"].get("device")),
                told("; ".join(tests)),
                told(content["versions"].get("lt_lightning")),
            ]
        )
    return Table(columns, rows)


def definitions(runs: Sequence[Run]) -> list[tuple[str, str]]:
    """Return what the words and the marks mean."""
    defined: dict[str, str] = {}
    for run in runs:
        for name, text in run.content["metrics"].get("definitions", {}).items():
            defined.setdefault(str(name), str(text))
    rules = sorted({str(run.content["data"]["group_rule"]) for run in runs})
    return [*defined.items(), ("rule of the groups", "; ".join(rules)), *NOTE_TEXTS.items()]
