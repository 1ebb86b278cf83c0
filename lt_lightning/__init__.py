"""Long-tailed image classification: PyTorch Lightning modules and the command `lt`.

    >>> import lt_lightning as lt
    >>> run = lt.load_run("runs/bbn-digits/0")  # doctest: +SKIP
    >>> run.predict("pictures/").names  # doctest: +SKIP

This file imports nothing: torch is loaded when one of its names is asked for, so that `lt --help`
answers at once.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lt_lightning.api import Evaluation, Predictions, Results, Run, fit, load_run
    from lt_lightning.errors import UserError

__version__ = "0.1.0"
__all__ = ["Evaluation", "Predictions", "Results", "Run", "UserError", "fit", "load_run"]


def __getattr__(name: str) -> object:
    """Return a public name, which is loaded with its module."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "UserError":
        from lt_lightning.errors import UserError

        return UserError
    from lt_lightning import api

    return vars(api)[name]


def __dir__() -> list[str]:
    return [*globals(), *__all__]
