"""Which numbers stand in a table of runs: those of the whole test, and each group's accuracy."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_OVERALL = {
    "all": "acc", "macro": "acc_macro", "worst": "acc_worst", "top-5": "acc_top5",
    "F1": "f1_macro", "AUC": "auc", "ECE": "ece",
}  # fmt: skip


@dataclass(frozen=True)
class Measure:
    """One number of an evaluation.

    Attributes:
        name: "all", "macro", "worst", "top-5", "F1", "AUC" or "ECE"; or the name of a group.
        group: whether it is the accuracy of a group.
    """

    name: str
    group: bool = False

    @property
    def heading(self) -> str:
        """The heading of its column; a group may be called as the whole test is."""
        return f"group {self.name}" if self.group and self.name in _OVERALL else self.name

    @property
    def lower_is_better(self) -> bool:
        """Whether less of it is better."""
        return self == ECE

    def of(self, evaluation: Mapping[str, Any]) -> float | None:
        """Return it in percent, or none where it is missing or the group is empty."""
        if self.group:
            value = evaluation["groups"].get(self.name, {}).get("acc")
        else:
            value = evaluation["overall"].get(_OVERALL[self.name])
        return None if value is None else 100 * value


ALL, MACRO, WORST, TOP5, F1, AUC, ECE = (Measure(name) for name in _OVERALL)
_LATER = (TOP5, F1, AUC)  # not in results of earlier versions; AUC of few classes, top-5 of many


def measures_of(contents: Iterable[Mapping[str, Any]]) -> list[Measure]:
    """Return the numbers of some runs, the groups between the others.

    Args:
        contents: their results.json.
    """
    known = list(contents)
    groups = [Measure(name, group=True) for name in group_names(known)]
    tests = [test for content in known for test in content["evaluations"].values()]
    later = [one for one in _LATER if any(one.of(test) is not None for test in tests)]
    return [ALL, MACRO, *groups, WORST, *later, ECE]


def group_names(contents: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the groups of all runs, each in the order of its runs.

    A group that only some runs have stands behind the one that it follows there.

    Args:
        contents: their results.json.
    """
    found: list[str] = []
    for content in contents:
        own = list(content["data"]["groups"])
        for evaluation in content["evaluations"].values():
            own += [name for name in evaluation["groups"] if name not in own]
        for place, name in enumerate(own):
            if name not in found:
                found.insert(_place(found, own, place), name)
    return found


def _place(found: Sequence[str], own: Sequence[str], place: int) -> int:
    """Return where a new name goes: behind the one before it, else before the next known one."""
    if place:
        return found.index(own[place - 1]) + 1
    return next((found.index(name) for name in own if name in found), len(found))
