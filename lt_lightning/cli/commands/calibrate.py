"""`lt calibrate RUN`: temperature and vector scaling of a finished run, before and after."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lt_lightning.runs import folder as run_folder
from lt_lightning.runs.evaluations import parts, without_digest
from lt_lightning.runs.finished import SIDE_BY_SIDE
from lt_lightning.runs.results import FILE_NAME, read_results

CHANGES = ("TemperatureScaling", "VectorScalingCalibration")
# One process fits all there is to fit, and the test numbers do not depend on their number.
ALONE = ("--trainer.devices", "1", "--trainer.num_nodes", "1", "--trainer.strategy", "auto")
_COLUMNS = (  # heading, key, factor, digits
    ("all %", "acc", 100, 2),
    ("macro %", "acc_macro", 100, 2),
    ("ECE %", "ece", 100, 2),
    ("MCE %", "mce", 100, 2),
    ("NLL", "nll", 1, 4),
    ("Brier", "brier", 1, 4),
)


def calibrate(
    run: str, best: bool, more: Sequence[str], test: Callable[[Sequence[str]], None]
) -> None:
    """Test a run as it is and after each change, and write the numbers side by side.

    Args:
        run: a run folder, or a checkpoint in it.
        best: whether it is best.ckpt and not last.ckpt.
        more: options that lie over those of the run.
        test: runs `lt test` on the run with these arguments, without its answer.
    """
    folder, _ = run_folder.of_run(run, best)
    before = _evaluations(folder) if (folder / FILE_NAME).is_file() else {}
    for change in CHANGES:
        test([*ALONE, *more, "--post_hoc", change])
    found = _evaluations(folder)
    fitted = [name for name in found if found[name] != before.get(name)]
    # As it is, under the same conditions: part of the images, say, or others.
    weights, change, conditions = parts(without_digest(fitted[-1], found[fitted[-1]]))
    saved_with = change.rpartition("+")[0]  # of a run that was saved with another change
    label = f"{weights}+{saved_with}" if saved_with else weights
    label += f"@{conditions}" if conditions else ""
    if "brier" not in found.get(label, {}).get("overall", {}):
        test([*ALONE, *more])
        found = _evaluations(folder)
    labels = [label, *fitted]
    picture = folder / f"{SIDE_BY_SIDE}.png"
    sys.stdout.write(f"{_table(found, labels)}\nReliability before and after: {picture}\n")


def _evaluations(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = read_results(folder / FILE_NAME)["evaluations"]
    return found


def _table(found: dict[str, Any], labels: Sequence[str]) -> str:
    """Return one row for each evaluation, numbers of the test images."""
    rows = [[heading for heading, *_ in _COLUMNS] + ["weights"]]
    for label in labels:
        overall = found[label]["overall"]
        cells = [
            "-" if overall.get(key) is None else f"{k * overall[key]:.{d}f}"
            for _, key, k, d in _COLUMNS
        ]
        rows.append([*cells, found[label]["checkpoint"].get("chosen_by", "not stated")])
    widths = [max(len(row[k]) for row in rows) for k in range(len(_COLUMNS))]
    lines = [
        "  ".join([*(c.rjust(w) for c, w in zip(row, widths, strict=False)), row[-1]])
        for row in rows
    ]
    lines.insert(1, "-" * max(map(len, lines)))
    return "\n".join(lines)
