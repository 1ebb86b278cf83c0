"""What a row is called after its training: which weights were tested, and with which change."""

from collections.abc import Sequence
from pathlib import Path

from lt_lightning.report.entry import Entry
from lt_lightning.runs.evaluations import parts

_USUAL = " val/acc_macro"  # what chooses the best checkpoint where nothing else is asked for
_HELD_OUT = "best on held-out images"


def chosen(entry: Entry) -> str:
    """Return the weights that were tested, as they follow the name of the training."""
    told = entry.chosen_by.partition(", then ")[0]
    if entry.weights == "last":
        return ""
    if entry.weights == "best":
        known = told.startswith("best ")
        return f", {told.replace(_USUAL, '', 1)}" if known else f", {_HELD_OUT}"
    if entry.weights == "stage1":
        return f", stage 1{', chosen on TEST images' if entry.chosen_on_test else ''}"
    return f", {entry.weights}"


def change_of(entry: Entry, entries: Sequence[Entry]) -> tuple[str, bool]:
    """Return the name of a change, and whether it tells its options.

    It has its value where some run was tested with several, and each option of which different
    values were asked for; values that were fitted to each seed are one change.

    Args:
        entry: what was tested.
        entries: all that is on the same data.
    """
    same = [other for other in entries if entry.post_hoc and other.post_hoc == entry.post_hoc]
    with_value = _several_values(entry, same)
    if with_value:
        same = [other for other in same if _change(other) == _change(entry)]
    known = [other.asked for other in same if other.asked]
    keys = sorted({key for asked in known for key in asked})
    apart = [key for key in keys if len({str(asked.get(key)) for asked in known}) > 1]
    name = _change(entry) if with_value else entry.post_hoc
    told = [f"{key} {entry.asked.get(key)}" for key in apart] if entry.asked else []
    return ", ".join([name, *told]), bool(told)


def _several_values(entry: Entry, same: Sequence[Entry]) -> bool:
    seen: dict[Path, set[str]] = {}
    for other in same:
        if other.setting == entry.setting and other.weights == entry.weights:
            seen.setdefault(other.run.folder, set()).add(_change(other))
    return any(len(found) > 1 for found in seen.values())


def _change(entry: Entry) -> str:
    """Return the change with its value."""
    return parts(entry.label)[1]
