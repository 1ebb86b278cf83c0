"""The options of a run as dotted keys and texts, and which of them make it what it is."""

import re
from collections.abc import Iterator, Mapping
from os.path import normpath
from pathlib import PurePath
from typing import Any

from lt_lightning.runs import argv
from lt_lightning.runs.batch_shares import BATCH_SHARES
from lt_lightning.runs.class_path import shortened
from lt_lightning.runs.folder import PRETRAIN

# What may differ between two repetitions: where and how fast they ran, and what they drew.
_DATA_KEYS = (
    "sampler", "samplers", "views", "augments", "epoch_length", "batch_size", "drop_last",
    "augment", "holdout", "added_images", "unlabelled", "normalize",
)  # fmt: skip
_SOURCE_KEYS = ("image_size", "size", "scale", "background", "grey_bits")  # how a picture is read
_TRAINER_KEYS = (
    "max_epochs", "max_steps", "gradient_clip_val", "gradient_clip_algorithm",
    "accumulate_grad_batches", "limit_train_batches", "overfit_batches", "callbacks",
)  # fmt: skip
_FREE_MODEL_KEYS = ("channels_last", "compile")
# Of these the name matters, not where it lies.
_FOLDERS = ("data.added_images", "data.unlabelled.folder")
# Of these the name matters, not where it lies or which version it is.
EARLIER = ("model.backbone_init", "model.stage1_ckpt")
RUNS = (*EARLIER, "model.teacher")
# A change of these leaves the method what it is; it only trains it by another recipe.
RECIPE = (
    "model.lr_schedule", "model.optimizer", "model.stage1_ckpt", "model.stage1_epochs",
    "model.stage2_epochs",
    "model.stage2_lr_schedule", "model.stage2_optimizer", "data.batch_size",
    "data.drop_last", "data.holdout",
    "trainer.max_epochs", "trainer.max_steps", "trainer.gradient_clip_val",
    "trainer.accumulate_grad_batches", "pretrain.options",
)  # fmt: skip
PRETRAINING = "pretrain.config"
# A number, or as a sweep or a job of SLURM calls its runs. A name of the user's own may be that of
# a run: two that are taken for one would leave one of them out of the table.
_VERSION = re.compile(r"\d+|seed[-_]?\d+|slurm-\w+(-seed-\d+)?(-[0-9a-f]+)?")


def matters(key: str) -> bool:
    """Return whether an option makes a run another one."""
    part, _, rest = key.partition(".")
    first = rest.split(".")[0].rstrip("+")
    if part == "data":
        return first in _DATA_KEYS or rest in {f"source.{key}" for key in _SOURCE_KEYS}
    if part == "trainer":
        return first in _TRAINER_KEYS
    return part == "pretrain" or (part == "model" and first not in _FREE_MODEL_KEYS)


def flat(content: Mapping[str, Any]) -> dict[str, str]:
    """Return the options that matter as dotted key and text, without those that are none.

    A class stands under its own key by its name, one from outside by its whole path.
    """
    return {key: text for key, text in _leaves(content) if matters(key)}


def _leaves(content: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for name, value in content.items():
        key = f"{above}{name}"
        if name == "class_path":
            yield above.rstrip("."), shortened(str(value))
        elif name in ("init_args", "dict_kwargs") and isinstance(value, dict):
            yield from _leaves(value, above)
        elif isinstance(value, dict):
            yield from _leaves(value, f"{key}.")
        elif value is not None and value != []:  # an option that a later version adds is none
            yield key, text_of(key, value)


def text_of(key: str, value: Any) -> str:
    """Return a value as settings hold it."""
    if key == "pretrain.config":
        return PurePath(str(value)).stem
    if key in RUNS:
        return run_name(str(value))
    if key in _FOLDERS:
        return PurePath(normpath(str(value))).name or "given"
    return str(value if key in BATCH_SHARES else _plain(value))


def _plain(value: Any) -> Any:
    """Return a number without a fraction as a whole one, also in lists, for files write both."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def differing(ours: Mapping[str, str], theirs: Mapping[str, str]) -> list[str]:
    """Return the keys of which the texts differ, or that one of both has not."""
    return [
        key
        for key in sorted({*ours, *theirs})
        if not _alike(ours.get(key), theirs.get(key), exact=key in BATCH_SHARES)
    ]


def _alike(one: str | None, other: str | None, exact: bool) -> bool:
    if one == other or one is None or other is None or exact:
        return one == other
    try:
        return float(one) == float(other)
    except ValueError:
        return False


def folder_of(path: str) -> PurePath:
    """Return the folder of a run, which is named so or, as in config.yaml, by a checkpoint."""
    found = PurePath(path)
    return found.parents[1] if found.suffix == ".ckpt" and len(found.parts) > 2 else found


def run_name(path: str) -> str:
    """Return NAME of runs/NAME, runs/NAME/0, a checkpoint there, or of the pre-training in it.

    A version that is no number stays behind the name, for it may stand for anything.
    """
    folder = folder_of(path)
    is_inside = folder != PurePath(path)
    if folder.name == PRETRAIN and folder.parent.parent.name:
        folder, is_inside = folder.parent, True
    if _VERSION.fullmatch(folder.name):
        return folder.parent.name or folder.name
    return "/".join(folder.parts[-2:]) if is_inside else folder.name


def is_below(key: str, others: tuple[str, ...]) -> bool:
    """Return whether an option is one of others, or an option of theirs."""
    return any(f"{key}.".startswith(f"{other.rstrip('+')}.") for other in others)


def given(command: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the options of a command line as key and text."""
    for item in argv.items(command):
        if item.flag:
            yield item.flag.lstrip("-").replace(".init_args.", "."), item.value or ""
