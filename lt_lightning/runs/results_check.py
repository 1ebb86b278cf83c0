"""Whether a results.json says what its schema says it says; see docs/results_json.md."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lt_lightning.errors import UserError, printable

Fits = Callable[[Any], bool]

_PAIRS = re.compile(r"([0-9]{1,9}:[0-9]{1,15}( (?=[0-9])|$))*")  # predicted:images
_LARGEST = 1e30  # of a number that is no share
_COUNTED = 2**53  # whole numbers beyond it are not told apart as floats
_ROUNDING = 1e-6


class _Wrong(Exception):
    """A part is not what it should be."""


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _COUNTED


def _is_number(value: Any) -> bool:
    """Return whether it is a number; the comparison is false for NaN."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST


def _is_size(value: Any) -> bool:
    return _is_number(value) and value >= 0


def _is_share(value: Any) -> bool:
    return _is_number(value) and -_ROUNDING <= value <= 1 + _ROUNDING


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_seed(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**64


def _is_plain(value: Any) -> bool:
    return _is_text(value) or _is_flag(value) or _is_number(value)


def _or_none(fits: Fits) -> Fits:
    return lambda value: value is None or fits(value)


def _list_of(fits: Fits) -> Fits:
    return lambda value: isinstance(value, list) and all(map(fits, value))


def _mapping_to(fits: Fits) -> Fits:
    return lambda value: isinstance(value, dict) and all(map(fits, value.values()))


def _is_point(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_number, value))


def _are_numbers(value: Any) -> bool:
    return _is_number(value) or (isinstance(value, list) and all(map(_is_number, value)))


def _is_mapping(value: Any) -> bool:
    return isinstance(value, dict)


# What must be there.
KEYS: dict[str, Fits] = {
    "method": _is_text,
    "config": _list_of(_is_text),
    "command": _list_of(_is_text),
    "seeds": _is_mapping,
    "flags": _is_mapping,
    "data": _is_mapping,
    "training": _is_mapping,
    "metrics": _is_mapping,
    "versions": _mapping_to(_or_none(_is_plain)),
    "hardware": _mapping_to(_or_none(_is_plain)),
    "evaluations": _mapping_to(_is_mapping),
}
INNER_KEYS: dict[str, dict[str, Fits]] = {
    "seeds": {"training": _or_none(_is_seed), "subset": _or_none(_is_seed)},
    "flags": {"test_seen_during_training": _is_flag, "oracle": _is_flag},
    "data": {
        "fingerprint": _is_text,
        "class_names": _list_of(_is_text),
        "class_counts": _list_of(_is_count),
        "groups": _mapping_to(_list_of(_is_count)),
        "group_rule": _is_text,
    },
    "training": {
        "seconds": _or_none(_is_size),
        "epochs": _or_none(_is_count),
        "parameters": _or_none(_is_count),
    },
}
EVALUATION_KEYS: dict[str, Fits] = {
    "checkpoint": _is_mapping,
    "images": _is_count,
    "overall": _mapping_to(_or_none(_is_number)),
    "groups": _mapping_to(_is_mapping),
    "classes": _list_of(_is_mapping),
    "reliability": _is_mapping,
}
# What may be there.
_MORE: dict[str, dict[str, Fits]] = {
    "flags": {"self_supervised": _is_flag},
    "data": {
        "source": _or_none(_is_text),
        "profile": _or_none(_is_text),
        "imbalance_ratio": _or_none(_is_size),
        "achieved_ratio": _or_none(_is_size),
        "added_images": _or_none(_is_text),
        "unlabelled": _or_none(_is_mapping),
        "test_fingerprint": _is_text,
    },
    "training": {
        "trainable_parameters": _or_none(_is_count),
        "multiply_adds": _or_none(_is_count),
    },
    "metrics": {"bins": _is_count, "definitions": _mapping_to(_is_text)},
}
_MORE_OF_EVALUATION: dict[str, Fits] = {
    "part_of_test": _is_flag,
    "test": _mapping_to(_or_none(_is_text)),
    "command": _list_of(_is_text),
    "time": _is_text,
    "hardware": _mapping_to(_or_none(_is_plain)),
    "versions": _mapping_to(_or_none(_is_plain)),
    "post_hoc": _mapping_to(_or_none(_is_plain)),
    "fitted": _mapping_to(_are_numbers),
    "pretext": _mapping_to(_is_number),
    "tde_alpha": _or_none(_is_number),
    "tau_curve": _list_of(_is_point),
}
_CHECKPOINT: dict[str, Fits] = {
    "path": _or_none(_is_text),
    "epoch": _or_none(_is_count),
    "chosen_by": _is_text,
}
_SHARE_OR_NONE = _or_none(_is_share)
_SHARES = ("acc", "acc_macro", "acc_worst", "acc_top5", "f1_macro", "auc", "ece", "mce")
_CLASS: dict[str, Fits] = {
    "name": _is_text,
    "group": _or_none(_is_text),
    "training_images": _is_count,
    "test_images": _is_count,
    "correct": _is_count,
    "accuracy": _SHARE_OR_NONE,
}
_MORE_OF_CLASS: dict[str, Fits] = {
    "predicted": _is_count,
    "precision": _SHARE_OR_NONE,
    "f1": _SHARE_OR_NONE,
}
_BINS: dict[str, Fits] = {
    "total": _list_of(_is_count),
    "correct": _list_of(_is_count),
    "accuracy": _list_of(_SHARE_OR_NONE),
    "confidence": _list_of(_SHARE_OR_NONE),
}


def check(file: Path, content: dict[str, Any]) -> None:
    """Refuse what no table or figure can be made from.

    Raises:
        UserError: with the place of the first part that is wrong.
    """
    try:
        _has("", content, KEYS)
        for key, inner in INNER_KEYS.items():
            _has(f"{key}.", content[key], inner)
        for key, inner in _MORE.items():
            _may_have(f"{key}.", content[key], inner)
        classes = _data(content["data"])
        _need(bool(content["evaluations"]), "evaluations", "is empty")
        for name, evaluation in content["evaluations"].items():
            _evaluation(f"evaluations.{name}", evaluation, classes)
    except _Wrong as wrong:
        raise UserError(
            f"{file} is damaged ({wrong}): delete it and test the run again by `lt test`."
        ) from wrong


def _has(where: str, content: Mapping[str, Any], keys: Mapping[str, Fits]) -> None:
    for key, fits in keys.items():
        _need(key in content, f"{where}{key}", "is missing")
        _need(fits(content[key]), f"{where}{key}", "is wrong")


def _may_have(where: str, content: Mapping[str, Any], keys: Mapping[str, Fits]) -> None:
    _has(where, content, {key: fits for key, fits in keys.items() if key in content})


def _data(data: dict[str, Any]) -> int:
    classes = len(data["class_names"])
    _need(classes > 0, "data.class_names", "is empty")
    _need(len(data["class_counts"]) == classes, "data.class_counts", f"is not {classes} counts")
    for group, members in data["groups"].items():
        where = f"data.groups.{group}"
        _need(all(k < classes for k in members), where, f"names a class beyond the {classes}")
    return classes


def _evaluation(where: str, evaluation: dict[str, Any], classes: int) -> None:
    _has(f"{where}.", evaluation, EVALUATION_KEYS)
    _may_have(f"{where}.", evaluation, _MORE_OF_EVALUATION)
    _may_have(f"{where}.checkpoint.", evaluation["checkpoint"], _CHECKPOINT)
    _may_have(f"{where}.overall.", evaluation["overall"], dict.fromkeys(_SHARES, _SHARE_OR_NONE))
    for name, group in evaluation["groups"].items():
        _has(f"{where}.groups.{name}.", group, {"acc": _SHARE_OR_NONE})
    rows = evaluation["classes"]
    _need(len(rows) == classes, f"{where}.classes", f"has {len(rows)} rows for {classes} classes")
    for place, row in enumerate(rows):
        _has(f"{where}.classes[{place}].", row, _CLASS)
        _may_have(f"{where}.classes[{place}].", row, _MORE_OF_CLASS)
    _reliability(f"{where}.reliability", evaluation["reliability"])
    norms, confusion = evaluation.get("weight_norms"), evaluation.get("confusion")
    if norms is not None:
        fits = _list_of(_is_size)(norms) and len(norms) == classes
        _need(fits, f"{where}.weight_norms", "is no number for each class")
    if confusion is not None:
        _confusion(f"{where}.confusion", confusion, classes)


def _reliability(where: str, bins: dict[str, Any]) -> None:
    edges = bins.get("edges", [])
    fits = _list_of(_is_share)(edges) and edges == sorted(edges) and len(edges) != 1
    _need(fits, f"{where}.edges", "is wrong")
    if not edges:
        return
    _has(f"{where}.", bins, _BINS)
    for key in _BINS:
        _need(len(bins[key]) == len(edges) - 1, f"{where}.{key}", "is not one for each bin")
    fits = all(map(int.__le__, bins["correct"], bins["total"]))
    _need(fits, f"{where}.correct", "is more than there are images")


def _confusion(where: str, rows: Any, classes: int) -> None:
    _need(isinstance(rows, list) and len(rows) == classes, where, "is no row for each class")
    for place, row in enumerate(rows):
        fits = isinstance(row, str) and _PAIRS.fullmatch(row) is not None
        _need(fits, f"{where}[{place}]", "is wrong")
        beyond = [pair for pair in row.split() if int(pair.partition(":")[0]) >= classes]
        _need(not beyond, f"{where}[{place}]", f"names a class beyond the {classes}")


def _need(fits: bool, where: str, problem: str) -> None:
    if not fits:
        raise _Wrong(f"{printable(where[:200])} {problem}")
