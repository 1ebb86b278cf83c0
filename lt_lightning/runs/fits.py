"""Whether a checkpoint fits what is asked of it."""

import filecmp
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from lt_lightning.errors import UserError
from lt_lightning.runs.batch_shares import BATCH_SHARES
from lt_lightning.runs.folder import PRETRAIN

# What may differ: the data are looked at by themselves, and speed is no part of the method.
_FREE = (
    "_instantiator", "channels_last", "class_counts", "class_names", "compile", "groups",
)  # fmt: skip
# The runs that a run began with: it needs them no more, but their names stand in its record.
_BEHIND = ("model.backbone_init", "model.stage1_ckpt", "model.teacher")

_LEVELS = ("class_path", "init_args", "dict_kwargs")  # of a file; the command line has them not
_NAMED = re.compile(r"data\.(samplers|views|augments)")  # whose names the user gives
_SHOWN = 80  # characters of a value


def check_fits(content: dict[str, Any], path: str, method: str, counts: list[int]) -> None:
    """Refuse a checkpoint of another method or of other classes.

    Args:
        content: what `read` returned.
        path: its path, for the message.
        method: the class path of the method that is asked for.
        counts: images per class that are asked for.

    Raises:
        UserError: if they differ from those of the checkpoint.
    """
    saved = content["hyper_parameters"]
    if "_class_path" not in saved:
        raise UserError(f"{path} does not say which method it is of: use one that `lt fit` wrote.")
    have = saved["_class_path"].rsplit(".", 1)[-1]
    want = method.rsplit(".", 1)[-1]
    if have != want:
        raise UserError(
            f"The checkpoint {path} holds {have} but the config asks for {want}: use the config of "
            "that run."
        )
    classes = saved.get("class_counts")
    if classes is not None and len(classes) != len(counts):
        raise UserError(
            f"The checkpoint {path} has {len(classes)} classes but the data have {len(counts)}: "
            "use the data of that run."
        )


def check_same(content: dict[str, Any], path: str, asked: Mapping[str, Any]) -> None:
    """Refuse a model whose options differ from those that the checkpoint was trained with.

    Lightning would let the checkpoint's win, without a word.

    Args:
        content: what `read` returned.
        path: its path, for the message.
        asked: the hyper-parameters of the model that was built from the config.

    Raises:
        UserError: if an option differs.
    """
    saved = content.get("hyper_parameters", {})
    for name in [name for name in saved if name in asked and name not in _FREE]:
        found = difference(saved[name], asked[name], f"model.{name}")
        if found:
            key, have, want = found
            raise UserError(
                f"The checkpoint {path} was trained with {key} {have} but the config has {want}: "
                "use the config of that run, or start a new one."
            )


def check_kinds(saved: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> None:
    """Refuse whole numbers where the network has real ones, and the reverse; torch converts them.

    Raises:
        UserError: with the first such weight.
    """
    for name, value in saved.items():
        if name in own and value.is_floating_point() != own[name].is_floating_point():
            raise UserError(
                f"The weights {name} of the checkpoint are {value.dtype} but the network has "
                f"{own[name].dtype}: use a checkpoint that `lt fit` wrote."
            )


def difference(
    have: Any, want: Any, key: str, free: tuple[str, ...] = ()
) -> tuple[str, Any, Any] | None:
    """Return the first option that differs, with both values as the command line has them.

    Args:
        have: the options of the run.
        want: those that are asked for.
        key: the option that both are of, as the command line writes it; empty for a whole config.
        free: the options that may differ.
    """
    if key in free:
        return None
    if isinstance(have, list) and isinstance(want, list) and len(have) == len(want):
        pairs = (difference(a, b, key, free) for a, b in zip(have, want, strict=True))
        return next((found for found in pairs if found), None)
    if not (isinstance(have, Mapping) and isinstance(want, Mapping)):
        same = _is_one_run(have, want) if key in _BEHIND else have == want
        if same and key in BATCH_SHARES and have == 1:  # one batch, or all of them
            same = isinstance(have, float) == isinstance(want, float)
        return None if same else (key, _told(have), _told(want))
    for name in [*have, *(name for name in want if name not in have)]:
        inner = key if name in _LEVELS else f"{key}.{name}".lstrip(".")
        if name in have and name in want:
            found = difference(have[name], want[name], inner, free)
        elif _is_option(key, have, want) or inner in free:
            continue  # an option that one of two versions of the package does not know
        else:
            found = inner, _told(have.get(name)), _told(want.get(name))
        if found:
            return found
    return None


def _is_one_run(have: Any, want: Any) -> bool:
    """Return whether two paths are of one run, which may have been moved, or deleted since.

    Where both are there their bytes say so. Else its name and version do, `ce/0` of
    `runs/ce/0/checkpoints/last.ckpt`; a folder of runs has no version, and where two checkpoints
    of a run are named they are one. A pre-training in a run is known by that run.
    """
    if have is None or want is None or have == want:
        return bool(have == want)
    files = [Path(str(path)) for path in (have, want)]
    if all(file.is_file() for file in files):
        return filecmp.cmp(files[0], files[1], shallow=False)
    runs = [file.parents[1] if file.suffix == ".ckpt" else file for file in files]
    names = {file.name for file in files if file.suffix == ".ckpt"}
    if all(run.name == PRETRAIN for run in runs):
        runs = [run.parent for run in runs]
    parts = [(run.name, "" if run.name == PRETRAIN else run.parent.name) for run in runs]
    (old, older), (new, newer) = parts
    return len(names) < 2 and ((old, older) == (new, newer) or older == new or newer == old)


def _is_option(key: str, have: Mapping[str, Any], want: Mapping[str, Any]) -> bool:
    """Return whether the names of two mappings are options of a class, and not the user's own."""
    return not _NAMED.fullmatch(key) and not {"class_path"} & {*have, *want}


def _told(value: Any) -> Any:
    """Return a value as it is written on the command line, a class by its name."""
    path = value.get("class_path") if isinstance(value, Mapping) else value
    if isinstance(path, str) and path.startswith(("lt_lightning.", "torch.")):
        return path.rsplit(".", 1)[-1]
    text = "null" if value is None else str(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 4]} ..."
