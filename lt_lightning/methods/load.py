"""Building the method of a finished run, without its data."""

import warnings
from pathlib import Path
from typing import Any

from lt_lightning.errors import UserError
from lt_lightning.methods.base import LongTailModule
from lt_lightning.runs.checkpoint import DATA_STATE

_RENAMED = r"(?s).*(JsonargparseDeprecationWarning|deprecated in v4.* removed in\s+v5).*"


def load_model(content: dict[str, Any], path: Path) -> LongTailModule:
    """Build the method of a checkpoint with its weights, without its data.

    Raises:
        UserError: if the checkpoint does not name a method of ours.
    """
    from lt_lightning import methods  # here, for methods load other runs

    name = str(content.get("hyper_parameters", {}).get("_class_path", "")).rsplit(".", 1)[-1]
    method = getattr(methods, name, None)
    if method is None or DATA_STATE not in content:
        raise UserError(f"{path} does not say which method and data it is of: use one of `lt fit`.")
    with warnings.catch_warnings():
        # Lightning 2.6 calls names that jsonargparse 4 has renamed; the text begins on line two.
        warnings.filterwarnings("ignore", message=_RENAMED)
        model: LongTailModule = method.load_from_checkpoint(
            path, map_location="cpu", weights_only=True
        )
    return model
