"""What a checkpoint holds: the parts, their types and ranges, looked at once for all who read one.

Nothing here trusts the file: a value is plain (numbers, texts, lists, mappings, tensors) and of a
size that can be walked, or the checkpoint is refused.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from lt_lightning.runs.results_check import is_part
from lt_lightning.runs.yaml_file import Endless, check_value, walk

DATA_STATE = "lt_data"  # the key of the data's facts in a checkpoint
CHANGES = "lt_changes"  # that of changes without training, of a run that was saved with them
RECORD = "lt_record"  # that of what a run must tell of its training, and of weights behind it
TRAINED_EPOCHS = "lt_trained_epochs"  # that of how many epochs were trained to their last batch
EPOCH_SUMS = "lt_epoch_sums"  # that of what an unfinished epoch has logged
INSTANTIATOR = "lightning.pytorch.cli.instantiate_module"  # what builds a model from its options
_NODES, _DEPTH, _BITS = 300_000, 50, 64  # values, levels and bits of a whole number
_NO_VALUE = object()
_VERSION = re.compile(r"[2-9]\.\d+[\w.+-]{0,60}")  # of Lightning; lt began with 2
_SIMPLE = (str, bytes, bool, float, type(None), torch.dtype, torch.device)
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_WHOLE = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool)


class Unfit(Exception):
    """A part is not what it should be; the message says which and what is wrong with it."""


def check(content: Any, to_resume: bool, size: int) -> None:
    """Refuse what is no checkpoint of a run.

    Args:
        content: what the file holds.
        to_resume: whether the training goes on, which needs more parts than a test.
        size: bytes of the file.

    Raises:
        Unfit: with the first part that is wrong.
    """
    _walk(content, [_NODES], 0)
    if not isinstance(content, dict):
        raise Unfit("it holds no parts")
    parts = {**_PARTS, **_OF_TRAINING, **_PARTS_OF_OTHERS}
    for name, (wanted, fits) in parts.items():
        value = content.get(name, _NO_VALUE)
        if value is _NO_VALUE:
            if name in _PARTS or (to_resume and name in _OF_TRAINING):
                raise Unfit(f"it has no {name}")
        elif not fits(value):
            raise Unfit(f"its {name} is no {wanted}")
    if to_resume and not content["optimizer_states"]:
        raise Unfit("its optimizer_states is empty")
    _check_weights(content["state_dict"], size)
    _check_options(content["hyper_parameters"])
    for change in content.get(CHANGES, ()):
        _check_keys(CHANGES, change, _CHANGE)
        _check_weights(change["values"], size, f"{CHANGES}.values")
    if DATA_STATE in content:  # an earlier version kept less
        facts = {**_LATER, **content[DATA_STATE]}
        _check_keys(DATA_STATE, facts, _DATA)
    if RECORD in content:
        known = {key: content[RECORD].get(key, value) for key, value in _NOTHING.items()}
        _check_keys(RECORD, known, _RECORD)


def are_seconds(state: Any) -> bool:
    """Return whether the state of a callback is how long a run was trained, and no more."""
    return _is_mapping(state) and state.keys() == {"seconds"} and _is_number(state["seconds"])


def _walk(value: Any, left: list[int], depth: int) -> None:
    """Refuse what is not plain, or endless: lists may hold themselves, or each other many times."""
    left[0] -= 1
    if left[0] < 0 or depth > _DEPTH:
        raise Unfit("it holds more than a run has, or itself")
    if isinstance(value, Mapping):
        for key, inner in value.items():
            _walk(key, left, depth + 1)
            _walk(inner, left, depth + 1)
    elif isinstance(value, list | tuple | set):  # a torch.Size is a tuple
        for inner in value:
            _walk(inner, left, depth + 1)
    elif isinstance(value, int) and value.bit_length() > _BITS:
        raise Unfit(f"it holds a whole number of {value.bit_length()} bits")
    elif not isinstance(value, (Tensor, int, *_SIMPLE)):
        raise Unfit(f"it holds a {type(value).__name__}")


def _check_weights(state: Mapping[str, Tensor], size: int, where: str = "state_dict") -> None:
    elements = 0
    for name, value in state.items():
        if not isinstance(value, Tensor):
            raise Unfit(f"its {where}.{name} is no tensor")
        if value.layout is not torch.strided or value.dtype not in (*_FLOATS, *_WHOLE):
            raise Unfit(f"its {where}.{name} is no tensor of numbers ({value.dtype})")
        elements += value.numel()
    # One stored number can be shown as many; to look at them all would take for ever.
    if elements > 8 * size:
        raise Unfit(f"its {where} has more numbers than the file holds")


def _check_options(options: Mapping[str, Any]) -> None:
    # A Trainer without the command keeps what its model was given, which is less.
    _check_keys("hyper_parameters", {**dict.fromkeys(_NAMES), **options}, _OPTIONS)
    if not _is_text(options.get("_class_path", "of a Trainer without the command")):
        raise Unfit(f"its hyper_parameters._class_path is {options['_class_path']!r}")
    try:  # what the models are built from is looked into by a parser
        walk({key: value for key, value in options.items() if key not in _NAMES}, check_value)
    except Endless as endless:
        raise Unfit(f"its hyper_parameters: {endless}") from endless
    if options.get("_instantiator", INSTANTIATOR) != INSTANTIATOR:
        raise Unfit(f"its hyper_parameters._instantiator is {options['_instantiator']!r}")
    classes, names = len(options["class_counts"]), options.get("class_names")
    if names is not None and len(names) != classes:
        raise Unfit(f"its hyper_parameters have {classes} class_counts but {len(names)} names")
    for group, members in (options.get("groups") or {}).items():
        if not (_is_list(members, _is_count) and all(member < classes for member in members)):
            raise Unfit(f"its hyper_parameters.groups.{group} is no list of classes")


def _check_keys(where: str, content: Mapping[str, Any], keys: "_Keys") -> None:
    for name, (wanted, fits) in keys.items():
        if name not in content:
            raise Unfit(f"its {where} has no {name}")
        if not fits(content[name]):
            raise Unfit(f"its {where}.{name} is no {wanted}")


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(key, str) for key in value)


def _is_list(value: Any, fits: Callable[[Any], bool]) -> bool:
    return isinstance(value, list | tuple) and all(map(fits, value))


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _is_byte(value: Any) -> bool:
    return _is_count(value) and value <= 255


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 1000


def _is_version(value: Any) -> bool:
    return isinstance(value, str) and _VERSION.fullmatch(value) is not None


def _is_optimizer(value: Any) -> bool:
    if not (_is_mapping(value) and isinstance(value.get("state"), Mapping)):
        return False
    groups = value.get("param_groups")
    states = all(_is_count(k) and _is_mapping(v) for k, v in value["state"].items())
    return states and bool(groups) and _is_list(groups, _is_group)


def _is_group(value: Any) -> bool:
    return (
        _is_mapping(value)
        and _is_list(value.get("params"), _is_count)
        and (isinstance(value.get("lr"), Tensor) or _is_number(value.get("lr")))
    )


def _is_schedule(value: Any) -> bool:
    return _is_mapping(value) and _is_count(value.get("last_epoch"))


def _are_loops(value: Any) -> bool:
    return _is_mapping(value) and all(map(_is_mapping, value.values())) and "fit_loop" in value


def _is_change(value: Any) -> bool:
    return _is_mapping(value) and _CHANGE.keys() <= value.keys()


def _are_sums(value: Any) -> bool:
    if not (_is_mapping(value) and type(value.get("epoch")) is int):
        return False
    if "processes" not in value:  # an earlier version kept those of all together
        sums = value.get("sums")
        plain = _is_mapping(sums) and all(type(total) is float for total in sums.values())
        return plain and _is_count(value.get("count"))
    parts = value["processes"]
    each = _is_list(parts, lambda v: _is_mapping(v) and all(map(_is_sum, v.values())))
    return each and len(parts) > 0


def _is_sum(value: Any) -> bool:
    if not (isinstance(value, list | tuple) and len(value) == 2 and _is_count(value[1])):
        return False
    total = value[0]
    number = isinstance(total, Tensor) and total.layout is torch.strided and total.shape == ()
    return number and total.dtype in (torch.float32, torch.float64)


_Keys = dict[str, tuple[str, Callable[[Any], bool]]]
_PARTS: _Keys = {
    "state_dict": ("mapping of names to tensors", lambda v: _is_mapping(v) and bool(v)),
    "hyper_parameters": ("mapping of options", _is_mapping),
    "epoch": ("count", _is_count),
    "global_step": ("count", _is_count),
    "pytorch-lightning_version": ("version of Lightning 2", _is_version),
}
_OF_TRAINING: _Keys = {
    "optimizer_states": ("list of states", lambda v: _is_list(v, _is_optimizer)),
    "lr_schedulers": ("list of schedules", lambda v: _is_list(v, _is_schedule)),
    "loops": ("mapping of loops", _are_loops),
    "callbacks": (
        "mapping of states",
        lambda v: _is_mapping(v) and all(map(_is_mapping, v.values())),
    ),
    DATA_STATE: ("mapping of facts", _is_mapping),
}
_PARTS_OF_OTHERS: _Keys = {
    CHANGES: ("list of changes", lambda v: _is_list(v, _is_change)),
    EPOCH_SUMS: ("record of an unfinished epoch", _are_sums),
    TRAINED_EPOCHS: ("count", lambda v: v is None or _is_count(v)),
    RECORD: ("mapping of facts", _is_mapping),
}
_RECORD: _Keys = {
    "test_seen_during_training": ("true or false", lambda v: type(v) is bool),
    "oracle": ("true or false", lambda v: type(v) is bool),
    "chosen_by": ("text", lambda v: v == "" or _is_text(v)),
    "built_on": ("text", lambda v: v == "" or _is_text(v)),
    "training": ("record of a training", is_part),
}
_NOTHING: dict[str, Any] = {
    "test_seen_during_training": False, "oracle": False, "chosen_by": "", "built_on": "",
    "training": {},
}  # fmt: skip
_CHANGE: _Keys = {
    "name": ("text", _is_text),
    "class_path": ("text", _is_text),
    "init_args": ("mapping of options", _is_mapping),
    "values": ("mapping of names to tensors", _is_mapping),
}
_NAMES = ("class_names", "groups")  # of the user, which may look like anything
_OPTIONS: _Keys = {
    "class_counts": ("list of counts", lambda v: _is_list(v, _is_count) and len(v) > 0),
    "class_names": ("list of names", lambda v: v is None or _is_list(v, _is_text)),
    "groups": ("mapping of classes", lambda v: v is None or _is_mapping(v)),
}
_DATA: _Keys = {
    "fingerprint": ("text", _is_text),
    "test_fingerprint": ("text", _is_text),
    "content": ("text", lambda v: v is None or _is_text(v)),
    "image_size": ("number of pixels", lambda v: _is_count(v) and v < 2**15),
    "mean": ("list of 3 numbers", lambda v: _is_list(v, _is_number) and len(v) == 3),
    "std": (
        "list of 3 numbers above 0",
        lambda v: _is_list(v, lambda x: _is_number(x) and x > 0) and len(v) == 3,
    ),
    "background": ("colour", lambda v: v is None or (_is_list(v, _is_byte) and len(v) == 3)),
    "grey_bits": ("number of bits", lambda v: v is None or (_is_count(v) and 8 <= v <= 16)),
    "upright": ("true or false", lambda v: type(v) is bool),
    "drawn_shares": (
        "list of shares",
        lambda v: v is None or _is_list(v, lambda x: _is_number(x) and 0 <= x <= 1),
    ),
    "drawn_weights": (
        "list of weights",
        lambda v: v is None or _is_list(v, lambda x: _is_number(x) and x >= 0),
    ),
}
_LATER = {
    "test_fingerprint": "none", "content": None, "background": None, "grey_bits": None,
    "upright": False, "drawn_shares": None, "drawn_weights": None,
}  # fmt: skip
