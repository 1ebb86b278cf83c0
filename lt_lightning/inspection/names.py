"""Names of classes that are easily taken for one another, and so may be one class twice."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from lt_lightning.nearest import one_apart

_SHORTEST = 4  # letters of names that one letter may tell apart by mistake
# Letters of other alphabets that look like Latin ones.
_ALIKE = str.maketrans("аеорсухіјѕԁԛοανρτυικ", "aeopcyxijsdqoavptuik")
_PLURALS = (("ies", "y"), ("xes", "x"), ("ches", "ch"), ("shes", "sh"), ("sses", "ss"), ("s", ""))
_MARKS = re.compile(r"[\s_\-.]+")


def confusable(names: Sequence[str]) -> list[tuple[str, str, str]]:
    """Return pairs of names and what alone tells them apart, in the order of the names."""
    found: dict[tuple[str, str], str] = {}
    for why, key in (
        ("case", str.casefold),
        ("blanks or marks", _without_marks),
        ("letters that look alike", _shape),
        ("a plural", _singular),
    ):
        groups = defaultdict(list)
        for name in names:
            groups[key(name)].append(name)
        for group in groups.values():
            for pair in pairwise(group):
                found.setdefault(pair, why)
    for pair in _one_letter(names):
        found.setdefault(pair, "one letter")
    return [(first, second, why) for (first, second), why in sorted(found.items())]


def _without_marks(name: str) -> str:
    return _MARKS.sub("", name.casefold())


def _shape(name: str) -> str:
    plain = unicodedata.normalize("NFKD", _without_marks(name))
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return plain.translate(_ALIKE)


def _singular(name: str) -> str:
    plain = _shape(name)
    for ending, less in _PLURALS:
        if plain.endswith(ending) and len(plain) >= len(ending) + 2:
            return plain.removesuffix(ending) + less
    return plain


def _one_letter(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield pairs that one letter tells apart; numbers are meant to differ."""
    near = defaultdict(list)  # two such names share what is left without a letter
    for name in names:
        plain = _shape(name)
        if len(plain) >= _SHORTEST:
            for part in {plain, *(plain[:k] + plain[k + 1 :] for k in range(len(plain)))}:
                near[part].append((name, plain))
    seen = set()
    for group in near.values():
        for k, (first, plain) in enumerate(group):
            for second, other in group[k + 1 :]:
                pair = (first, second)
                if pair in seen or _digits(plain) != _digits(other):
                    continue
                seen.add(pair)
                if one_apart(plain, other):
                    yield pair


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit())
