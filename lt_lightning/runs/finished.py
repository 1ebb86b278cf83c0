"""Whether a run has nothing left to do, and what becomes of its results when it goes on."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lt_lightning.runs.checkpoint import whole_epochs
from lt_lightning.runs.evaluations import (
    PRECISION,
    Conditions,
    parts,
    tested_images,
    without_digest,
)
from lt_lightning.runs.results import FILE_NAME, read_results

SIDE_BY_SIDE = "reliability_side_by_side"  # the figure of all evaluations
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
    asked: Mapping[str, Any],
    change: Mapping[str, Any] | None = None,
    values: Mapping[str, Any] | None = None,
) -> bool:
    """Return whether all checkpoints of a run were tested on the images that are asked for.

    Args:
        folder: the run folder.
        asked: the config that says on which: test_on, data.test_root, trainer.limit_test_batches.
        change: after training, which is to be tested too, with its options as they are recorded.
        values: of the change, as they are recorded; none where they are not known before.
    """
    if not (folder / FILE_NAME).is_file():
        return False
    content = read_results(folder)
    found = {
        label: evaluation
        for label, evaluation in content["evaluations"].items()
        if _is_as_asked(label, evaluation, content, asked)
    }
    weights = {"last", "stage1"} if _on_held_out(asked) else {"last", "best", "stage1"}
    checkpoints = {file.stem for file in (folder / "checkpoints").glob("*.ckpt")}
    if not checkpoints & weights <= {parts(label)[0] for label in found if not parts(label)[1]}:
        return False
    wanted = json.loads(json.dumps(change))  # as it reads in a file
    return wanted is None or any(
        evaluation.get("post_hoc") == wanted
        and {**evaluation.get("fitted", {}), **(values or {})} == evaluation.get("fitted", {})
        for label, evaluation in found.items()
        if parts(label)[0] == "last"
    )


def _is_as_asked(
    label: str,
    evaluation: Mapping[str, Any],
    content: Mapping[str, Any],
    asked: Mapping[str, Any],
) -> bool:
    """Return whether an evaluation has the conditions of its label from such a config.

    Which images those are, and how many, the evaluation alone tells.
    """
    own = content["data"].get("test_fingerprint")
    limit = _option(asked, "trainer.limit_test_batches")
    folder = None if _on_held_out(asked) else _option(asked, "data.test_root")
    tested = tested_images(evaluation)
    if tested is None and folder is None:
        tested = own  # of an earlier version
    if _on_held_out(asked) and tested == own:
        return False
    conditions = Conditions(
        fingerprint=tested,
        own=own or ("" if folder else None),
        folder=None if folder is None else str(folder),
        images=evaluation.get("images", 0),
        part=limit is not None and bool(evaluation.get("part_of_test")),
        precision=PRECISION,
        held_out=_on_held_out(asked),
    )
    told = parts(without_digest(label, evaluation))[2]
    return conditions.suffix == (f"@{told}" if told else "")


def _on_held_out(asked: Mapping[str, Any]) -> bool:
    """Return whether the held-out images are tested, which have chosen the best checkpoint."""
    return asked.get("test_on") == "held_out"


def _option(config: Mapping[str, Any], key: str) -> Any:
    part, _, name = key.partition(".")
    options = config.get(part)
    return options.get(name) if isinstance(options, Mapping) else None


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
            of_them = figure.stem.endswith(tuple(f"_{name}" for name in passed))
            if of_them or figure.stem == SIDE_BY_SIDE:
                figure.replace(figure.with_stem(figure.stem + end))
        aside = file.with_stem(file.stem + end)
        file.replace(aside)
        log.info("The training goes on: the results so far are kept in %s.", aside)
