"""The runs that a run began with: their own settings, where they can be read, are part of its."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePath
from typing import Any

from lt_lightning.errors import UserError
from lt_lightning.report import shipped
from lt_lightning.report.options import (
    PRETRAINING,
    RECIPE,
    RUNS,
    differing,
    flat,
    folder_of,
    is_below,
    run_name,
)
from lt_lightning.report.run import Run
from lt_lightning.runs.config import ended_with
from lt_lightning.runs.folder import PRETRAIN
from lt_lightning.runs.kept_configs import last_file

_INIT = "model.backbone_init"
_OF = ".of."  # an option of an earlier run
_STAGE1 = f"model.stage1_ckpt{_OF}"
OTHER_STAGE = "model.stage1"  # what a stage 1 of another method is called
# What makes a stage 1: in its own run, and in that of two stages.
_STAGE1_KEYS = {
    **{f"model.{key}": f"model.{key}" for key in ("loss", "mixing", "backbone", "head")},
    **{f"model.{key}": "" for key in ("tuning", "deferred_weights", "deferred_loss")},
    "model.backbone_init": "",
    "data.sampler": "data.samplers.stage1",
}
# Of a pre-training in the command of its run these are those of the run, whatever its file says,
# and the last two where the file does not say anything.
_OF_RUN = (
    "data.source", "data.normalize", "data.holdout", "model.backbone",
    "trainer.limit_train_batches",
)  # fmt: skip
_BELOW = ("data.augment", "data.drop_last")


def values(run: Run, given: Mapping[str, str]) -> dict[str, str]:
    """Return the options of the earlier runs whose configs lie where the run says, or beside it.

    Args:
        run: the run.
        given: the options of its command.
    """
    found: dict[str, str] = {}
    for key, folder in _folders(run, given):
        with suppress(UserError):
            config = shipped.filled(ended_with(folder))
            found |= {f"{key}{_OF}{inner}": text for inner, text in flat(config).items()}
    return found


def altered(
    run: Run, values: Mapping[str, str], given: Mapping[str, str], base: str
) -> tuple[str, ...]:
    """Return what is otherwise in the pre-training of a run than in that of the package's file.

    Args:
        run: the run.
        values: its options and those of its earlier runs.
        given: the options of its command.
        base: the name of the package's file.
    """
    wanted, asked = shipped.raw(base).get(PRETRAINING), values.get(PRETRAINING, "null")
    if wanted is None or asked not in ("null", wanted):
        return ()  # then the option itself is another one
    path = _paths(run, given).get(_INIT)
    begins = f"{_INIT if path else 'pretrain'}{_OF}"
    own = {key[len(begins) :]: text for key, text in values.items() if key.startswith(begins)}
    if not own:
        told = _is_of(str(run.folder.resolve().parent.name), base, path, wanted)
        return () if told or (asked == wanted and not path) else ("pretrain",)
    expected = shipped.made((wanted,))
    alone = tuple(
        key for key in _BELOW if not any(is_below(k, (key,)) for k in shipped.raw(wanted))
    )
    of_run = {key: text for key, text in values.items() if is_below(key, (*_OF_RUN, *alone))}
    rest = {key: text for key, text in expected.items() if not is_below(key, (*_OF_RUN, *alone))}
    found = differing(own, {**rest, **of_run})
    return tuple({"pretrain.options" if is_below(key, RECIPE) else "pretrain" for key in found})


def other_stage(values: Mapping[str, str]) -> tuple[str, ...]:
    """Return `OTHER_STAGE` where a second stage began with another network than its own first one.

    Args:
        values: the options of the run and of its earlier runs; of one that is gone its name alone
            may tell, where it is that of a file of the package.
    """
    own = {key[len(_STAGE1) :]: text for key, text in values.items() if key.startswith(_STAGE1)}
    name = values.get("model.stage1_ckpt", "").partition("-")[0]  # a sweep adds recipes and data
    if not own and shipped.raw(name):
        own = shipped.made((name,))
    if not own:
        return ()
    for there, here in _STAGE1_KEYS.items():
        if differing(_part(own, there), _part(values, here) if here else {}):
            return (OTHER_STAGE,)
    return ()


def _part(values: Mapping[str, str], above: str) -> dict[str, str]:
    """Return an option and those below it, by what follows its key."""
    return {key[len(above) :]: text for key, text in values.items() if is_below(key, (above,))}


def is_of_earlier(key: str) -> bool:
    """Return whether an option is that of an earlier run."""
    return _OF in key


def filled(family: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Return the options of runs, those of an earlier run that is gone as its siblings have them.

    Not where these have several: it may have been either.

    Args:
        family: the options of runs that are alike but for those of their earlier runs.
    """
    found = [dict(values) for values in family]
    for key in (*RUNS, PRETRAIN):
        parts = [{k: v for k, v in one.items() if k.startswith(f"{key}{_OF}")} for one in found]
        known = [part for part in parts if part]
        if known and all(part == known[0] for part in known):
            found = [{**one, **known[0]} for one in found]
    return found


def _is_of(name: str, base: str, path: str | None, wanted: str) -> bool:
    """Return whether a run that is gone had, by its name, the pre-training `wanted`."""
    if path is None:
        return False
    end = name.removeprefix(base) if name.startswith(base) else ""  # as a sweep adds it: its data
    other = run_name(path).removesuffix(end)
    return other == wanted or shipped.raw(other).get(PRETRAINING) == wanted


def _folders(run: Run, given: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    paths = _paths(run, given)
    for key, path in paths.items():
        found = next(filter(_is_run, places(run, folder_of(path))), None)
        if found is not None:
            yield key, found
    if _INIT not in paths and _is_run(run.folder / PRETRAIN):
        yield "pretrain", run.folder / PRETRAIN


def places(run: Run, folder: PurePath) -> tuple[Path, Path]:
    """Return where a folder that a run names may lie: there, or beside it where both were moved."""
    parts = folder.parts[-3 if folder.name == PRETRAIN else -2 :]
    beside = run.folder.resolve().parent.parent.joinpath(*parts)
    named = Path(folder)
    return (named, beside) if named.is_absolute() else (beside, named)


def _is_run(folder: Path) -> bool:
    """Return whether a run can be read there; what cannot be looked at is as if it were gone."""
    with suppress(OSError, ValueError):
        return os.access(last_file(folder), os.R_OK)
    return False


def _paths(run: Run, given: Mapping[str, str]) -> dict[str, str]:
    """Return where the earlier runs lay, by the option that names them."""
    model: Any = run.config.get("model")
    options = model.get("init_args") if isinstance(model, dict) else None
    if isinstance(options, dict):
        found = {key: options.get(key.removeprefix("model.")) for key in RUNS}
    else:
        found = {key: given.get(key) for key in RUNS}
    return {key: path for key, path in found.items() if isinstance(path, str) and path}
