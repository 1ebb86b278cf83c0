"""Whether a results.json says what its schema says it says; see docs/results_json.md."""

import math
import re
from pathlib import Path
from typing import Any

from lt_lightning.errors import UserError

_CLASS_KEYS = ("name", "group", "training_images", "test_images", "correct", "accuracy")
_BIN_KEYS = ("total", "correct", "accuracy", "confidence")
_PAIRS = re.compile(r"([0-9]+:[0-9]+( (?=[0-9])|$))*")  # predicted:images


class _Wrong(Exception):
    """A part is not what it should be."""


def check(file: Path, content: dict[str, Any]) -> None:
    """Refuse what a report cannot be made from.

    Raises:
        UserError: with the place of the first part that is wrong.
    """
    try:
        classes = _data(content["data"])
        _training(content["training"])
        _need(bool(content["evaluations"]), "evaluations", "is empty")
        for name, evaluation in content["evaluations"].items():
            _evaluation(f"evaluations.{name}", evaluation, classes)
    except _Wrong as wrong:
        raise UserError(
            f"{file} is damaged ({wrong}): delete it and test the run again by `lt test`."
        ) from wrong


def _data(data: dict[str, Any]) -> int:
    names, counts = data["class_names"], data["class_counts"]
    _need(isinstance(names, list) and len(names) > 0, "data.class_names", "is no list of names")
    _counts("data.class_counts", counts, len(names))
    _need(isinstance(data["groups"], dict), "data.groups", "is wrong")
    for group, members in data["groups"].items():
        fits = isinstance(members, list) and all(_is_count(k) and k < len(names) for k in members)
        _need(fits, f"data.groups.{group}", "is no list of classes")
    return len(names)


def _training(training: dict[str, Any]) -> None:
    for key in ("seconds", "epochs", "parameters"):
        _need(_is_number(training[key]), f"training.{key}", "is no number")


def _evaluation(where: str, evaluation: dict[str, Any], classes: int) -> None:
    _need(_is_count(evaluation["images"]), f"{where}.images", "is no count")
    for name, value in evaluation["overall"].items():
        _need(_is_number(value), f"{where}.overall.{name}", "is no number")
    for name, group in evaluation["groups"].items():
        fits = isinstance(group, dict) and _is_number(group.get("acc"))
        _need(fits, f"{where}.groups.{name}", "has no accuracy")
    rows = evaluation["classes"]
    _need(len(rows) == classes, f"{where}.classes", f"has {len(rows)} rows for {classes} classes")
    for place, row in enumerate(rows):
        fits = isinstance(row, dict) and all(key in row for key in _CLASS_KEYS)
        fits = fits and _is_number(row["accuracy"])
        _need(fits, f"{where}.classes[{place}]", "is wrong")
    _reliability(f"{where}.reliability", evaluation["reliability"])
    norms, confusion = evaluation.get("weight_norms"), evaluation.get("confusion")
    for point in evaluation.get("tau_curve", []):
        fits = isinstance(point, list) and len(point) == 2 and all(map(_is_number, point))
        _need(fits and None not in point, f"{where}.tau_curve", "is no list of two numbers each")
    if norms is not None:
        fits = isinstance(norms, list) and len(norms) == classes and all(map(_is_number, norms))
        _need(fits and None not in norms, f"{where}.weight_norms", "is no number for each class")
    if confusion is not None:
        _confusion(f"{where}.confusion", confusion, classes)


def _reliability(where: str, bins: dict[str, Any]) -> None:
    edges = bins.get("edges", [])
    _need(isinstance(edges, list) and all(map(_is_number, edges)), f"{where}.edges", "is wrong")
    for key in _BIN_KEYS if edges else ():
        values = bins.get(key)
        fits = isinstance(values, list) and len(values) == len(edges) - 1
        fits = fits and all(map(_is_number, values or []))
        _need(fits, f"{where}.{key}", "is no number for each bin")
    for key in ("total", "correct") if edges else ():
        _counts(f"{where}.{key}", bins[key], len(edges) - 1)


def _confusion(where: str, rows: Any, classes: int) -> None:
    _need(isinstance(rows, list) and len(rows) == classes, where, "is no row for each class")
    for place, row in enumerate(rows):
        fits = isinstance(row, str) and _PAIRS.fullmatch(row) is not None
        _need(fits, f"{where}[{place}]", "is wrong")


def _counts(where: str, values: Any, length: int) -> None:
    fits = isinstance(values, list) and len(values) == length and all(map(_is_count, values))
    _need(fits, where, f"is no list of {length} counts")


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: Any) -> bool:
    """Return whether it is a finite number, or none."""
    if value is None:
        return True
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _need(fits: bool, where: str, problem: str) -> None:
    if not fits:
        raise _Wrong(f"{where} {problem}")
