"""What a change after training was fitted to, as results.json keeps it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lt_lightning.runs.evaluations import parts
from lt_lightning.runs.results import FILE_NAME, read_results


def as_json(values: Mapping[str, Tensor]) -> dict[str, float | list[float]]:
    """Return values of at most one dimension, none where there is a larger one.

    A float is written with all its digits, so that it is read back bit for bit.
    """
    if any(value.ndim > 1 for value in values.values()):
        return {}
    return {name: value.tolist() for name, value in values.items()}


def find(folder: Path, weights: str, change: Mapping[str, Any]) -> dict[str, Tensor] | None:
    """Return the values that a test of the run has, those of the latest, or none.

    Args:
        folder: of the run.
        weights: "last", "best", or the name of another checkpoint.
        change: its class and options, as they were asked for.

    Raises:
        UserError: if results.json is damaged.
    """
    if not (folder / FILE_NAME).is_file():
        return None
    known = [
        evaluation
        for label, evaluation in read_results(folder)["evaluations"].items()
        if parts(label)[0] == weights and evaluation.get("post_hoc") == dict(change)
    ]
    found = [one for one in known if one.get("fitted")]
    if not found:
        return None
    # The order is that of the names, and fitted again a change may have two of them.
    latest = sorted(found, key=lambda one: str(one.get("time", "")))[-1]["fitted"]
    return {name: torch.tensor(value, dtype=torch.float64) for name, value in latest.items()}
