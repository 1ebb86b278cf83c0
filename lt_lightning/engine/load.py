"""Building the method of a finished run, without its data."""

from pathlib import Path
from typing import Any

from lt_lightning.backbones import without_weights
from lt_lightning.engine.base import LongTailModule
from lt_lightning.errors import UserError
from lt_lightning.runs import gate
from lt_lightning.runs.checkpoint import DATA_STATE
from lt_lightning.runs.past import Past, past_of


def load_model(content: dict[str, Any], path: Path) -> LongTailModule:
    """Build the method of a checkpoint with its weights, without its data.

    Lightning's `load_from_checkpoint` is not used: it calls whatever function the checkpoint names
    as its `_instantiator`, and builds its hyper-parameters unchecked.

    Raises:
        UserError: if the checkpoint does not name a method, or one that cannot be built, or if
            its training was cut before it could predict.
    """
    given: Any = content.get("hyper_parameters")
    method = given.get("_class_path") if isinstance(given, dict) else None
    if method is None or DATA_STATE not in content:
        raise UserError(f"{path} does not say which method and data it is of: use one of `lt fit`.")
    options = {key: value for key, value in given.items() if not key.startswith("_")}
    try:
        with without_weights():
            model: LongTailModule = gate.build("model", LongTailModule, method, options)
    except UserError as error:
        raise UserError(f"The checkpoint {path} cannot be used: {error}") from error
    model.take(content)
    model.check_predicts(content, path)
    model.past = past_of(content, path) or Past()  # of an earlier version its folder tells
    return model
