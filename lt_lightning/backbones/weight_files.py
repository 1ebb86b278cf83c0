"""Weights from a file: read without running its code."""

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lt_lightning.check_sums import broken_part
from lt_lightning.errors import UserError
from lt_lightning.home import home

_SUFFIXES = (".pth", ".pt", ".bin", ".ckpt", ".tar", ".safetensors")
# Where training codes keep the weights beside the rest, the smoothed ones first.
_HOLDERS = ("state_dict_ema", "model_ema", "ema", "state_dict", "model_state_dict", "model")


def is_file(weights: str) -> bool:
    """Return whether `weights` is the path of a file and no name of a hub."""
    return weights.lower().endswith(_SUFFIXES) or home(weights).is_file()


def read_weights(path: str) -> dict[str, Tensor]:
    """Return the tensors of a file by their names.

    Raises:
        UserError: if there is no such file, it is damaged, carries a pickle, or holds no weights.
    """
    file = home(path)
    if not file.is_file():
        raise UserError(
            f"There is no file of weights {path}: give a .pth or .safetensors file, or the name "
            "of weights that can be fetched."
        )
    content = _safetensors(file) if file.suffix.lower() == ".safetensors" else _torch(file)
    found = _tensors(content)
    if not found:
        raise UserError(f"{path} holds no weights by name: give a file of a state_dict.")
    bad = next((k for k, v in found.items() if v.is_floating_point() and not _finite(v)), None)
    if bad is not None:
        raise UserError(f"{path} holds NaN or infinity in {bad}: give another file.")
    return found


def _finite(value: Tensor) -> bool:
    return bool(value.float().isfinite().all())


def _torch(file: Path) -> Any:
    try:
        if broken_part(file) is not None:
            raise zipfile.BadZipFile
        return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if any(f"unsupported {what}" in str(error).lower() for what in ("global", "class")):
            raise UserError(
                f"The weights {file} carry Python objects, which could run code, and are refused: "
                "give a file that holds tensors alone, such as a .safetensors file."
            ) from error
        raise UserError(f"The weights {file} are damaged: fetch the file again.") from error
    except Exception as error:  # at damaged data the reader raises nearly anything
        raise UserError(
            f"The weights {file} are damaged or cut short: fetch the file again."
        ) from error


def _safetensors(file: Path) -> Any:
    try:
        from safetensors.torch import load_file
    except ImportError as error:
        raise UserError(
            f"{file} needs the package safetensors: pip install 'lt_lightning[timm]'."
        ) from error
    try:
        return load_file(file)
    except Exception as error:  # its own error, or one of the file system
        raise UserError(
            f"The weights {file} are damaged or cut short: fetch the file again."
        ) from error


def _tensors(content: Any) -> dict[str, Tensor]:
    """Return the tensors of a mapping, or of the part of it that holds the weights."""
    if not isinstance(content, Mapping):
        return {}
    own = {k: v for k, v in content.items() if isinstance(k, str) and isinstance(v, Tensor)}
    if own:
        return own
    inner = (_tensors(content[name]) for name in _HOLDERS if name in content)
    return next((found for found in inner if found), {})
