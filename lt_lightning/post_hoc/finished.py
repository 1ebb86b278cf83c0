"""A change of a finished run that needs none of its data: what was given, or fitted before."""

import copy
import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from lt_lightning import shell
from lt_lightning.engine.changes import Added
from lt_lightning.errors import UserError
from lt_lightning.inputs import told_value
from lt_lightning.post_hoc.base import PostHoc
from lt_lightning.post_hoc.calibration import TemperatureScaling, VectorScalingCalibration
from lt_lightning.post_hoc.target_prior import TargetPrior
from lt_lightning.runs import fitted
from lt_lightning.runs.evaluations import parts, under_own_conditions
from lt_lightning.runs.results import FILE_NAME, read_results

Calibration = Literal["temperature", "vector"]
CALIBRATIONS: dict[str, type[PostHoc]] = {
    "temperature": TemperatureScaling,
    "vector": VectorScalingCalibration,
}


def changes_of(
    folder: Path,
    checkpoint: Path,
    post_hoc: PostHoc | None,
    calibrated: str | None,
    target_prior: str | Path | Mapping[str, float] | None = None,
) -> tuple[Added, ...]:
    """Return the changes of a run with their values, in the order in which they are made.

    Args:
        folder: of the run.
        checkpoint: the file of its weights.
        post_hoc: a change, whose knobs are given or were fitted by a test of the run.
        calibrated: "temperature" or "vector", as `lt calibrate` fitted it.
        target_prior: shares of the classes, or a file of them; behind the others.

    Raises:
        UserError: if a change and a calibration are asked for, or two of one kind, what must be
            fitted was not, or the shares are neither a file nor numbers by name.
    """
    if post_hoc is not None and not isinstance(post_hoc, PostHoc):
        raise UserError(
            f"post_hoc is {told_value(post_hoc)}: give a change, such as `LogitAdjuster()`."
        )
    shift: PostHoc | None = None
    if target_prior is not None:
        shift = TargetPrior(str(target_prior) if isinstance(target_prior, Path) else target_prior)
    if isinstance(post_hoc, TargetPrior):
        if shift is not None:
            raise UserError("The target shares are given twice: leave out --post_hoc TargetPrior.")
        shift, post_hoc = post_hoc, None
    first = _first(folder, checkpoint, post_hoc, calibrated)
    found = [] if first is None else [first]
    if shift is not None:
        found.append(Added(copy.copy(shift), None))
    return tuple(found)


def _first(
    folder: Path, checkpoint: Path, post_hoc: PostHoc | None, calibrated: str | None
) -> Added | None:
    """Return the change or the calibration, none where neither is asked for."""
    if post_hoc is None and calibrated is None:
        return None
    if post_hoc is not None and calibrated is not None:
        raise UserError(
            "A calibration is fitted on the outputs as they are, so it does not go with another "
            "change: save the change by `lt test RUN --post_hoc NAME --save_as NEW`, then "
            "`lt calibrate` that run."
        )
    if calibrated is not None and calibrated not in CALIBRATIONS:
        raise UserError(f"calibrated is {calibrated!r}: give {' or '.join(CALIBRATIONS)}.")
    # A copy, for it takes the values of this run.
    change = CALIBRATIONS[calibrated]() if calibrated is not None else copy.copy(post_hoc)
    assert change is not None
    given = change.given()
    values = fitted.find(folder, checkpoint.stem, change.options()) if given is None else given
    if values is None:
        raise UserError(_not_fitted(folder, checkpoint, change, calibrated is not None))
    return Added(change, values)


def evaluation_of(
    folder: Path, checkpoint: Path, changes: Sequence[str], added: Sequence[Added] = ()
) -> str | None:
    """Return the evaluation of these outputs in results.json, none where there is none.

    Args:
        folder: of the run.
        checkpoint: the file of its weights.
        changes: what was changed after training, in their order.
        added: those of them that the checkpoint does not keep, with their values.
    """
    if not (folder / FILE_NAME).is_file():
        return None
    mine = checkpoint.stem, "+".join(changes)
    known = read_results(folder)["evaluations"].items()
    found = [
        name
        for name, one in known
        if parts(name)[:2] == mine and under_own_conditions(name, one) and _is_of(one, added)
    ]
    return next(iter(found), None)


def _is_of(evaluation: Mapping[str, Any], added: Sequence[Added]) -> bool:
    """Return whether an evaluation is of these changes: a name alone does not say the outputs."""
    if not added:
        return True  # those that the checkpoint keeps, which are the same in all its tests
    *before, last = added
    values = {} if last.values is None else last.values
    kept, told = fitted.as_json(values), evaluation.get("post_hoc")
    if before or not isinstance(told, Mapping) or bool(values) != bool(kept):
        return False  # a test makes one change, and values of two dimensions are not recorded
    aside = {*kept, *last.change.sources}
    own = last.change.options() if isinstance(last.change, PostHoc) else {}
    same = _without(own, aside) == _without(told, aside)
    return same and evaluation.get("fitted", {}) == kept


def _without(options: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    return {key: value for key, value in options.items() if key not in names}


def _not_fitted(folder: Path, checkpoint: Path, change: PostHoc, calibrated: bool) -> str:
    name = type(change).__name__
    run = shell.word(folder) + (" --best" if checkpoint.stem == "best" else "")
    if calibrated:
        return f"{name} was not fitted to {checkpoint}: run `lt calibrate {run}` first."
    own = {key: value for key, value in change.options().items() if key != "class"}
    knobs = "".join(
        f" --post_hoc.{key} {shlex.quote(_written(value))}" for key, value in own.items()
    )
    return (
        f"{name} with these options is worked out on images, and no test of {checkpoint} has kept "
        f"it: save it by `lt test {run} --post_hoc {name}{knobs} --save_as NEW`, and use that run."
    )


def _written(value: str | float | bool | None) -> str:
    """Return a value as the command line has it."""
    return value if isinstance(value, str) else json.dumps(value)
