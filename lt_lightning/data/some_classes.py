"""The first of several classes, for a message."""

from collections.abc import Sequence

_SHOWN = 5


def some_of(classes: Sequence[int], names: Sequence[str] | None) -> str:
    """Return the first few classes, by name where names are known."""
    shown = [str(c) if names is None else repr(names[c]) for c in classes[:_SHOWN]]
    return ", ".join(shown) + (", ..." if len(classes) > _SHOWN else "")
