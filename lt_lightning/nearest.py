"""What a misspelt word may have been meant to be."""

import difflib
import unicodedata
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


def other_form(word: str, names: Iterable[str]) -> str | None:
    """Return the name that has the letters of `word` in another form of Unicode, or none.

    macOS may write a letter and its mark apart, which looks the same.
    """
    letters = unicodedata.normalize("NFC", word)
    return next(
        (n for n in names if n != word and unicodedata.normalize("NFC", n) == letters), None
    )


def one_apart(first: str, second: str) -> bool:
    """Return whether one letter more, less or other, or two in turned order, is the difference."""
    if first == second or abs(len(first) - len(second)) > 1:
        return False
    k = next((k for k, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), None)
    if k is None:
        return True  # one is the other and a letter more
    turned = first[k : k + 2] == second[k : k + 2][::-1] and first[k + 2 :] == second[k + 2 :]
    other = first[k + 1 :] == second[k + 1 :]
    return turned or other or first[k:] == second[k + 1 :] or first[k + 1 :] == second[k:]


def nearest_key(key: str, known: list[str]) -> str | None:
    """Return the known dotted key that is most like `key`, part by part, or none."""
    parts, good = key.split("."), list[str]()
    for place, part in enumerate(parts):
        level = {
            name.split(".")[place]
            for name in known
            if name.split(".")[:place] == good and name.count(".") >= place
        }
        near = part if part in level else nearest(part, level)
        if not near:
            break
        good.append(near)
    else:
        return ".".join(good)
    last = {name.rsplit(".", 1)[-1]: name for name in known}
    near = nearest(parts[-1], last)
    return last[near] if near else None
