"""A course as auto.json holds it, looked at before it is believed: its runs lie in its folder."""

from collections.abc import Callable, Mapping
from typing import Any

from lt_lightning.auto.steps import SIMPLEST_FIRST
from lt_lightning.errors import Refused
from lt_lightning.runs import folder as run_folder

DONE, FAILED, BEGUN, LEFT_OUT = "done", "failed", "begun", "left out"
CHOSEN = "chosen"  # the folder of the run that was chosen
_STATUS = (DONE, FAILED, BEGUN, LEFT_OUT)
_MOST_EPOCHS = 10**9
_SHOWN = 40  # characters of a value
Check = Callable[[Any], bool]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < _MOST_EPOCHS


def _is_share(value: Any) -> bool:
    return _is_number(value) and value <= 1 + 1e-6  # float32


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _or_none(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _list_of(check: Check) -> Check:
    return lambda value: isinstance(value, list) and all(map(check, value))


def _mapping_to(check: Check) -> Check:
    return lambda value: isinstance(value, dict) and all(map(check, value.values()))


def _is_fitted(value: Any) -> bool:
    number = isinstance(value, dict) and value.get("temperature", 1.0)
    return isinstance(value, dict) and _is_number(number)


_COURSE: dict[str, Check] = {
    "asked": _list_of(_is_text),
    "files": _mapping_to(_is_text),
    "minutes": _is_number,
    "seconds": _is_number,
    "since": _or_none(_is_number),
    "epoch_seconds": _is_number,
    "around_seconds": _is_number,
    "change_seconds": _is_number,
    "epochs": _is_count,
    "labels": _list_of(_is_count),
    "class_names": _list_of(_is_text),
    "steps": _mapping_to(lambda step: isinstance(step, dict)),
    "chosen": _or_none(lambda value: isinstance(value, dict)),
}
_STEP: dict[str, Check] = {
    "status": lambda value: value in _STATUS,
    "begun": _is_count,
    "behind": _is_count,
    "run": _or_none(_is_text),
    "seconds": _is_number,
    "macro": _or_none(_is_share),
    "sd": _or_none(_is_share),
    "right": _is_text,
    "why": _or_none(_is_text),
}
_TAKEN: dict[str, Check] = {
    "step": _is_text,
    "run": _is_text,
    "evaluation": _is_text,
    "fitted": _is_fitted,
    "images": _is_count,
    "acc": _or_none(_is_share),
    "acc_macro": _or_none(_is_share),
    "ece": _or_none(_is_share),
}


def check(content: Mapping[str, Any]) -> None:
    """Refuse what would fail later, without a word about where it came from.

    Raises:
        ValueError: if a part is missing, of another kind, or says what no course does.
    """
    _look("", content, _COURSE)
    labels, names = content["labels"], content["class_names"]
    if any(label >= len(names) for label in labels):
        raise ValueError(f"labels has a class that is none of the {len(names)} in class_names")
    for name, step in content["steps"].items():
        if name not in SIMPLEST_FIRST:
            raise ValueError(f"{name[:_SHOWN]!r} is no step")
        _look(f"steps.{name}.", step, _STEP)
        _check_run(f"steps.{name}.run", step["run"], name)
        done = step["status"] == DONE
        if len(step["right"]) != len(labels) and (done or step["right"]):
            raise ValueError(f"steps.{name}.right does not fit labels")
        if done and (not labels or None in (step["run"], step["macro"], step["sd"])):
            raise ValueError(f"steps.{name} is done, without its numbers")
    if content["chosen"] is not None:
        _check_chosen(content["chosen"], content["steps"])


def _check_chosen(chosen: Mapping[str, Any], steps: Mapping[str, Any]) -> None:
    _look("chosen.", chosen, _TAKEN)
    _check_run("chosen.run", chosen["run"], CHOSEN)
    if steps.get(chosen["step"], {}).get("status") != DONE:
        raise ValueError(f"chosen.step is {chosen['step'][:_SHOWN]!r}, which is not done")


def _look(above: str, content: Mapping[str, Any], known: Mapping[str, Check]) -> None:
    for name, is_right in known.items():
        if name not in content:
            raise ValueError(f"it has no {above}{name}")
        if not is_right(content[name]):
            raise ValueError(f"{above}{name} is not as it should be")
    other = next((name for name in content if name not in known), None)
    if other is not None:
        raise ValueError(f"{above}{other[:_SHOWN]} is nothing that a course has")


def _check_run(key: str, run: str | None, name: str) -> None:
    """Refuse a run that does not lie in the folder of its step."""
    if run is None:
        return
    folder, _, version = run.partition("/")
    if folder != name:
        raise ValueError(f"{key} is {run[:_SHOWN]!r}, which does not lie in {name}/")
    try:
        run_folder.check_names(".", folder, version)
    except Refused as refused:
        raise ValueError(f"{key}: {refused.sentence}") from refused
