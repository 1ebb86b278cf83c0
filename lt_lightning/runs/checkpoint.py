"""Reading a checkpoint without running its code."""

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lt_lightning.check_sums import broken_part
from lt_lightning.errors import UserError
from lt_lightning.runs.checkpoint_parts import (
    CHANGES,
    DATA_STATE,
    EPOCH_SUMS,
    RECORD,
    TRAINED_EPOCHS,
    Unfit,
    are_seconds,
    check,
)

__all__ = [
    "CHANGES",
    "DATA_STATE",
    "EPOCH_SUMS",
    "RECORD",
    "TRAINED_EPOCHS",
    "leave_to_training",
    "not_finite",
    "read",
    "trained_epochs",
    "whole_epochs",
]
_GROWTH = 4  # times the size of the file that its parts may take; torch packs nothing


def read(path: str | Path, to_resume: bool = False) -> dict[str, Any]:
    """Read a checkpoint safely: tensors and plain values only, and each part what it should be.

    Args:
        path: the file.
        to_resume: whether the training goes on, which needs more parts than a test.

    Raises:
        UserError: if it is a URL, no file, cut short, carries a pickle, is none of ours, or holds
            weights that are not finite.
    """
    if "://" in str(path):
        raise UserError(f"{path} is a URL: fetch the file first, a checkpoint is read from disk.")
    file = Path(path)
    if not file.is_file():  # a pipe or a device is none either
        what = f"{path} is no file" if file.exists() else f"There is no checkpoint {path}"
        raise UserError(f"{what}: give a .ckpt file, or `last`.")
    content = _content(file)
    if to_resume and isinstance(content, dict) and content.get(CHANGES):
        raise UserError(
            f"{path} was changed after its training, so it cannot be trained on: go on with the "
            "run that it was saved from."
        )
    try:
        check(content, to_resume, file.stat().st_size)
    except Unfit as unfit:
        raise UserError(
            f"{path} is no checkpoint of a run ({unfit}): use one that `lt fit` wrote."
        ) from unfit
    found: dict[str, Any] = content
    bad = not_finite(found["state_dict"])
    if bad is not None:
        raise UserError(
            f"The checkpoint {path} holds NaN or infinity in {bad}: its predictions would mean "
            "nothing, use an older one or train again."
        )
    return found


def not_finite(weights: Mapping[str, Any]) -> str | None:
    """Return the first parameter or buffer that holds NaN or infinity, or none.

    Args:
        weights: a `state_dict`.
    """
    for name, value in weights.items():
        real = isinstance(value, Tensor) and value.is_floating_point()
        # As float32, which the network computes in: a larger number of float64 is infinite there.
        if real and not bool(value.detach().float().isfinite().all()):
            return name
    return None


def _content(file: Path) -> Any:
    """Return what the file holds, read safely."""
    try:
        _check_archive(file)
        return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "weights_only" in str(error).lower() or "unsupported" in str(error).lower():
            raise UserError(
                f"The checkpoint {file} carries Python objects, which could run code, and is "
                "refused: use a checkpoint that `lt fit` wrote."
            ) from error
        raise UserError(f"The checkpoint {file} is damaged: use an older one.") from error
    except UserError:
        raise
    except Exception as error:  # at damaged data the reader raises nearly anything
        raise UserError(
            f"The checkpoint {file} is damaged or cut short: use an older one."
        ) from error


def _check_archive(file: Path) -> None:
    """Refuse a file that is no archive, or damaged, or much larger when it is unpacked."""
    with zipfile.ZipFile(file) as archive:
        unpacked = sum(part.file_size for part in archive.infolist())
    if unpacked > _GROWTH * file.stat().st_size:
        raise UserError(
            f"The checkpoint {file} would be {unpacked:,} bytes when it is unpacked, far more than "
            "it has: use one that `lt fit` wrote."
        )
    if (broken := broken_part(file)) is not None:
        raise UserError(
            f"The checkpoint {file} is damaged, {broken} is not as it was written: use an older "
            "one."
        )


def leave_to_training(content: dict[str, Any], precision: str) -> None:
    """Take out of a checkpoint that is tested what a training alone goes on from.

    Lightning would give a test all of it, the states of callbacks too; what a test has no use for
    cannot stop it. How many epochs were trained to their last batch stays, as TRAINED_EPOCHS; none
    where the file does not tell.

    Args:
        content: of the file, which is changed.
        precision: the key of the precision's state.
    """
    content[TRAINED_EPOCHS] = trained_epochs(content)
    for part in ("loops", "optimizer_states", "lr_schedulers", EPOCH_SUMS, precision):
        content.pop(part, None)
    states = content.pop("callbacks", {})
    content["callbacks"] = {name: state for name, state in states.items() if are_seconds(state)}


def trained_epochs(content: Mapping[str, Any]) -> int | None:
    """Return how many epochs were trained to their last batch; none where it does not tell."""
    if TRAINED_EPOCHS in content:
        return content[TRAINED_EPOCHS]  # type: ignore[no-any-return]
    try:
        loop = content["loops"]["fit_loop"]
        whole = loop["epoch_loop.batch_progress"]["is_last_batch"]  # also of one for validation
        return int(content["epoch"]) + 1 if whole else whole_epochs(content)
    except (UserError, LookupError, TypeError, ValueError):
        return None


def whole_epochs(content: Mapping[str, Any]) -> int:
    """Return how many epochs were finished when the checkpoint was written.

    Raises:
        UserError: if it does not tell.
    """
    try:
        return int(content["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"])
    except (LookupError, TypeError, ValueError) as error:
        raise UserError(
            "The checkpoint does not tell its epoch (loops.fit_loop is damaged): use an older one."
        ) from error
