"""Whether a results.json says what its schema says it says; see docs/results_json.md."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lt_lightning.errors import UserError, printable
from lt_lightning.runs.forms import (
    Fits,
    is_count,
    is_flag,
    is_mapping,
    is_number,
    is_share,
    is_size,
    is_text,
    list_of,
    mapping_to,
    or_none,
)

_PAIRS = re.compile(r"([0-9]{1,9}:[0-9]{1,15}( (?=[0-9])|$))*")  # predicted:images
_ROUNDING = 1e-6


class _Wrong(Exception):
    """A part is not what it should be."""


def _is_seed(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**64


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_plain(value: Any) -> bool:
    return is_text(value) or is_flag(value) or is_number(value)


def _is_point(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(is_number, value))


def _are_numbers(value: Any) -> bool:
    return is_number(value) or (isinstance(value, list) and all(map(is_number, value)))


# What must be there.
KEYS: dict[str, Fits] = {
    "method": is_text,
    "config": list_of(is_text),
    "command": list_of(is_text),
    "seeds": is_mapping,
    "flags": is_mapping,
    "data": is_mapping,
    "training": is_mapping,
    "metrics": is_mapping,
    "versions": mapping_to(or_none(_is_plain)),
    "hardware": mapping_to(or_none(_is_plain)),
    "evaluations": mapping_to(is_mapping),
}
INNER_KEYS: dict[str, dict[str, Fits]] = {
    "seeds": {"training": or_none(_is_seed), "subset": or_none(_is_seed)},
    "flags": {"test_seen_during_training": is_flag, "oracle": is_flag},
    "data": {
        "fingerprint": is_text,
        "class_names": list_of(is_text),
        "class_counts": list_of(is_count),
        "groups": mapping_to(list_of(is_count)),
        "group_rule": is_text,
    },
    "training": {
        "seconds": or_none(is_size),
        "epochs": or_none(is_count),
        "parameters": or_none(is_count),
    },
}
EVALUATION_KEYS: dict[str, Fits] = {
    "checkpoint": is_mapping,
    "images": is_count,
    "overall": mapping_to(or_none(is_number)),
    "groups": mapping_to(is_mapping),
    "classes": list_of(is_mapping),
    "reliability": is_mapping,
}
# What may be there.
_MORE: dict[str, dict[str, Fits]] = {
    "flags": {"self_supervised": is_flag},
    "data": {
        "source": or_none(is_text),
        "profile": or_none(is_text),
        "imbalance_ratio": or_none(is_size),
        "achieved_ratio": or_none(is_size),
        "added_images": or_none(is_text),
        "unlabelled": or_none(is_mapping),
        "test_fingerprint": is_text,
    },
    "training": {
        "planned_epochs": or_none(_is_whole),
        "trainable_parameters": or_none(is_count),
        "multiply_adds": or_none(is_count),
        "save_seconds": is_number,
        "ended": is_flag,
    },
    "metrics": {"bins": is_count, "definitions": mapping_to(is_text)},
}
# What a checkpoint keeps.
_OF_TRAINING = {"config", "command", "seeds", "data", "training", "versions", "hardware"}
_MORE_OF_EVALUATION: dict[str, Fits] = {
    "part_of_test": is_flag,
    "test": mapping_to(or_none(is_text)),
    "command": list_of(is_text),
    "time": is_text,
    "hardware": mapping_to(or_none(_is_plain)),
    "versions": mapping_to(or_none(_is_plain)),
    "post_hoc": mapping_to(or_none(_is_plain)),
    "fitted": mapping_to(_are_numbers),
    "pretext": mapping_to(is_number),
    "tde_alpha": or_none(is_number),
    "tau_curve": list_of(_is_point),
}
_CHECKPOINT: dict[str, Fits] = {
    "path": or_none(is_text),
    "epoch": or_none(is_count),
    "chosen_by": is_text,
    "weights": is_text,
}
_SHARE_OR_NONE = or_none(is_share)
_SHARES = ("acc", "acc_macro", "acc_worst", "acc_top5", "f1_macro", "auc", "ece", "mce")
_CLASS: dict[str, Fits] = {
    "name": is_text,
    "group": or_none(is_text),
    "training_images": is_count,
    "test_images": is_count,
    "correct": is_count,
    "accuracy": _SHARE_OR_NONE,
}
_MORE_OF_CLASS: dict[str, Fits] = {
    "predicted": is_count,
    "precision": _SHARE_OR_NONE,
    "f1": _SHARE_OR_NONE,
}
_BINS: dict[str, Fits] = {
    "total": list_of(is_count),
    "correct": list_of(is_count),
    "accuracy": list_of(_SHARE_OR_NONE),
    "confidence": list_of(_SHARE_OR_NONE),
}


def check(file: Path, content: dict[str, Any]) -> None:
    """Refuse what no table or figure can be made from.

    Raises:
        UserError: with the place of the first part that is wrong.
    """
    wrong = fault(content)
    if wrong is not None:
        raise UserError(
            f"{file} is damaged ({wrong}): delete it and test the run again by `lt test`."
        )


def fault(content: dict[str, Any]) -> str | None:
    """Return the place of the first part that is wrong, and what it is not, or none."""
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
        return str(wrong)
    return None


def is_part(told: Any) -> bool:
    """Return whether it is some of what is said of a training, as a checkpoint keeps it."""
    if not (is_mapping(told) and told.keys() <= _OF_TRAINING):
        return False
    try:
        _may_have("", told, KEYS)
        for key in INNER_KEYS.keys() & told.keys():
            _may_have(f"{key}.", told[key], {**INNER_KEYS[key], **_MORE.get(key, {})})
    except _Wrong:
        return False
    return True


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
        fits = list_of(is_size)(norms) and len(norms) == classes
        _need(fits, f"{where}.weight_norms", "is no number for each class")
    if confusion is not None:
        _confusion(f"{where}.confusion", confusion, classes)


def _reliability(where: str, bins: dict[str, Any]) -> None:
    edges = bins.get("edges", [])
    fits = list_of(is_share)(edges) and edges == sorted(edges) and len(edges) != 1
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
