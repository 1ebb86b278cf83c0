"""`--model.backbone.weights null` is no text.

jsonargparse hands the words below a class on to a parser of its own, as texts, and there a null
becomes the text None where a text may stand.
"""

from typing import Any

from jsonargparse import Namespace

from lt_lightning.errors import UserError
from lt_lightning.runs.class_path import named
from lt_lightning.runs.hints import parameters, takes_null

_TEXT = "None"


def settle_nulls(value: Any) -> None:
    """Turn the text None into a null below all classes in `value`, where null may stand."""
    if isinstance(value, list | tuple):
        for item in value:
            settle_nulls(item)
    if not isinstance(value, Namespace):
        return
    inner = value.get("init_args")
    if isinstance(inner, Namespace) and any(one == _TEXT for one in vars(inner).values()):
        known = _parameters(value.get("class_path"))
        for name, one in list(vars(inner).items()):
            if one == _TEXT and name in known and takes_null(known[name][0]):
                inner[name] = None
    for item in vars(value).values():
        settle_nulls(item)


def _parameters(path: Any) -> dict[str, Any]:
    try:
        return parameters(named(path))
    except (UserError, TypeError):  # refused later, in words
        return {}
