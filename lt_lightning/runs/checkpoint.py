"""Reading a checkpoint without running its code."""

import pickle
from pathlib import Path
from typing import Any

import torch

from lt_lightning.errors import UserError

DATA_STATE = "lt_data"  # the key of the data's facts in a checkpoint


def read(path: str | Path) -> dict[str, Any]:
    """Read a checkpoint safely: tensors and plain values only.

    Raises:
        UserError: if it is a URL, absent, cut short, carries a pickle or is none of ours.
    """
    if "://" in str(path):
        raise UserError(f"{path} is a URL: fetch the file first, a checkpoint is read from disk.")
    file = Path(path)
    if not file.is_file():
        raise UserError(f"There is no checkpoint {path}: give a .ckpt file, or `last`.")
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "weights_only" in str(error).lower() or "unsupported" in str(error).lower():
            raise UserError(
                f"The checkpoint {path} carries Python objects, which could run code, and is "
                "refused: use a checkpoint that `lt fit` wrote."
            ) from error
        raise UserError(f"The checkpoint {path} is damaged: use an older one.") from error
    except (RuntimeError, EOFError, OSError, ValueError) as error:
        raise UserError(
            f"The checkpoint {path} is damaged or cut short: use an older one."
        ) from error
    if not isinstance(content, dict) or "state_dict" not in content:
        raise UserError(f"{path} is no checkpoint of a run: use one that `lt fit` wrote.")
    return content


def whole_epochs(content: dict[str, Any]) -> int:
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
