"""The last part of the page: every run, and how to read the numbers."""

from collections.abc import Sequence
from html import escape

from lt_lightning.report.cell import Grid
from lt_lightning.report.page.table import Column, number, table
from lt_lightning.report.run import Run
from lt_lightning.report.survey import NOTE_TEXTS
from lt_lightning.runs.results import epochs_told


def all_runs(grid: Grid, runs: Sequence[Run]) -> str:
    """Return one row for each run, folded."""
    columns = [
        Column("run", text=True), Column("seed"), Column("subset seed"),
        Column("training images", text=True), Column("epochs"), Column("minutes"),
        Column("device", text=True), Column("evaluations", text=True), Column("version", text=True),
    ]  # fmt: skip
    left_out = set(grid.left_out)
    rows = []
    for run in runs:
        content, training = run.content, run.content["training"]
        minutes = None if training["seconds"] is None else training["seconds"] / 60
        mark = ' <span class="badge">older repetition</span>' if run.folder in left_out else ""
        tests = (
            f"{label}: {one['checkpoint'].get('chosen_by', 'not stated')}"
            for label, one in content["evaluations"].items()
        )
        rows.append(
            [
                escape(str(run.folder)) + mark,
                _text(content["seeds"]["training"]),
                _text(content["seeds"]["subset"]),
                _text(content["data"]["fingerprint"]),
                epochs_told(training),
                number(minutes, None, 1),
                _text(content["hardware"].get("device")),
                escape("; ".join(tests)),
                _text(content["versions"].get("lt_lightning")),
            ]
        )
    older = ""
    if left_out:
        older = (
            f"<p>{len(left_out)} older repetitions have the setting, data and seeds of a newer run "
            "and are not counted.</p>"
        )
    return (
        f'<section id="runs"><h2>Runs</h2>{older}<details><summary>All {len(runs)} runs</summary>'
        f"{table(columns, rows)}</details></section>"
    )


def _text(value: object) -> str:
    return number(None, None) if value is None else escape(str(value))


def how_to_read(runs: Sequence[Run]) -> str:
    """Return what the words and the marks mean."""
    defined: dict[str, str] = {}
    for run in runs:
        for name, text in run.content["metrics"].get("definitions", {}).items():
            defined.setdefault(str(name), str(text))
    rules = sorted({str(run.content["data"]["group_rule"]) for run in runs})
    items = [f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in defined.items()]
    items.append(f"<dt>rule of the groups</dt><dd>{escape('; '.join(rules))}</dd>")
    items += [f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in NOTE_TEXTS.items()]
    return (
        '<section id="reading"><h2>How to read it</h2><p>A method is one setting: runs that differ '
        "in seed, hardware or data only are its repetitions. ± is the sample standard deviation "
        f"over training seeds.</p><dl>{''.join(items)}</dl></section>"
    )
