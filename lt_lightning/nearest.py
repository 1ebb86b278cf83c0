"""What a misspelt word may have been meant to be."""

import difflib
from collections.abc import Iterable


def nearest(word: str, names: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the name that is most like `word`, whatever its case, or none.

    Args:
        word: what was written.
        names: what may be written.
        cutoff: how alike they must be at least, from 0 to 1.
    """
    by_lower = {name.lower(): name for name in names}
    near = difflib.get_close_matches(word.lower(), by_lower, 1, cutoff)
    return by_lower[near[0]] if near else None
