"""What the command, and whoever subclasses further, needs of a constructor."""

from collections.abc import Sequence
from typing import Any

from lt_lightning.runs.hints import parameters, untyped
from lt_lightning.testing.expect import that

GIVEN_TO_METHODS = ("class_counts", "class_names", "groups", "backbone", "optimizer", "lr_schedule")
GIVEN_TO_LOSSES = ("weights", "reduction")


def check_constructor(kind: type[Any], hint: Any, given: Sequence[str] = ()) -> None:
    """Check that every option has a type and that the base gets its own.

    Args:
        kind: the class.
        hint: the type of its place; what a factory is called with needs no type.
        given: options of the base.
    """
    bare = [name for _, name, _ in untyped(kind, hint)]
    that(not bare, f"the options {bare} have no type: write one, such as `{[*bare, ''][0]}: float`")
    lost = [name for name in given if name not in parameters(kind)]
    that(
        not lost,
        f"the constructor does not take {lost}: end its parameters with a catch-all, such as "
        "`**kwargs: Any`, and hand it on to super().__init__",
    )
