"""A course as auto.json holds it, looked at before it is believed: its runs lie in its folder."""

from collections.abc import Mapping
from typing import Any

from lt_lightning.auto.steps import SIMPLEST_FIRST
from lt_lightning.errors import Refused
from lt_lightning.runs import folder as run_folder
from lt_lightning.runs.forms import (
    Fits,
    is_count,
    is_mapping,
    is_share,
    is_size,
    is_text,
    list_of,
    mapping_to,
    or_none,
)

DONE, FAILED, BEGUN, LEFT_OUT = "done", "failed", "begun", "left out"
CHOSEN = "chosen"  # the folder of the run that was chosen
_STATUS = (DONE, FAILED, BEGUN, LEFT_OUT)
_SHOWN = 40  # characters of a value


def _is_fitted(value: Any) -> bool:
    number = isinstance(value, dict) and value.get("temperature", 1.0)
    return isinstance(value, dict) and is_size(number)


_COURSE: dict[str, Fits] = {
    "asked": list_of(is_text),
    "files": mapping_to(is_text),
    "minutes": is_size,
    "seconds": is_size,
    "since": or_none(is_size),
    "epoch_seconds": is_size,
    "around_seconds": is_size,
    "change_seconds": is_size,
    "epochs": is_count,
    "labels": list_of(is_count),
    "class_names": list_of(is_text),
    "steps": mapping_to(is_mapping),
    "chosen": or_none(is_mapping),
}
_STEP: dict[str, Fits] = {
    "status": lambda value: value in _STATUS,
    "begun": is_count,
    "behind": is_count,
    "run": or_none(is_text),
    "seconds": is_size,
    "macro": or_none(is_share),
    "sd": or_none(is_share),
    "right": is_text,
    "why": or_none(is_text),
}
_TAKEN: dict[str, Fits] = {
    "step": is_text,
    "run": is_text,
    "evaluation": is_text,
    "fitted": _is_fitted,
    "images": is_count,
    "acc": or_none(is_share),
    "acc_macro": or_none(is_share),
    "ece": or_none(is_share),
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


def _look(above: str, content: Mapping[str, Any], known: Mapping[str, Fits]) -> None:
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
