"""Whether a run has nothing left to do, and what becomes of its results when it goes on."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lt_lightning.runs.checkpoint import whole_epochs
from lt_lightning.runs.evaluations import parts, under_own_conditions
from lt_lightning.runs.results import FILE_NAME, read_results

log = logging.getLogger("lt_lightning")


def is_trained(content: dict[str, Any], max_epochs: int, max_steps: int) -> bool:
    """Return whether a checkpoint is at the end of its training.

    Args:
        content: the checkpoint.
        max_epochs: how long the training is.
        max_steps: another limit; below 0 there is none.
    """
    return whole_epochs(content) >= max_epochs or 0 <= max_steps <= content["global_step"]


def is_tested(
    folder: Path,
    change: Mapping[str, Any] | None = None,
    values: Mapping[str, Any] | None = None,
) -> bool:
    """Return whether all checkpoints of a run were tested.

    Args:
        folder: the run folder.
        change: after training, which is to be tested too, with its options as they are recorded.
        values: of the change, as they are recorded; none where they are not known before.
    """
    if not (folder / FILE_NAME).is_file():
        return False
    evaluations = read_results(folder)["evaluations"]
    checkpoints = {file.stem for file in (folder / "checkpoints").glob("*.ckpt")}
    if not checkpoints & {"last", "best", "stage1"} <= {*evaluations}:
        return False
    wanted = json.loads(json.dumps(change))  # as it reads in a file
    return wanted is None or any(
        evaluation.get("post_hoc") == wanted
        and {**evaluation.get("fitted", {}), **(values or {})} == evaluation.get("fitted", {})
        for name, evaluation in evaluations.items()
        if parts(name)[0] == "last" and under_own_conditions(name, evaluation)
    )


def reopen(folder: Path, step: int) -> None:
    """Set the results of a run aside as results_STEPS_steps.json, for its training goes on.

    They are of weights that last.ckpt will not hold any more, and so are the figures, which get
    the same end; what is of its first stage alone stays.

    Args:
        folder: the run folder.
        step: at which it goes on, for results that do not tell theirs.
    """
    file = folder / FILE_NAME
    if not file.is_file():
        return
    content = read_results(folder)
    passed = [name for name in content["evaluations"] if parts(name)[0] in ("last", "best")]
    if passed:
        steps = content["training"].get("steps")
        end = f"_{step if steps is None else steps}_steps"
        for figure in folder.glob("*.png"):
            if figure.stem.endswith(tuple(f"_{name}" for name in passed)):
                figure.replace(figure.with_stem(figure.stem + end))
        aside = file.with_stem(file.stem + end)
        file.replace(aside)
        log.info("The training goes on: the results so far are kept in %s.", aside)
