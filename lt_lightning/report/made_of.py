"""Whether a file beside results.json was made of what an evaluation is of."""

from collections.abc import Mapping
from typing import Any


def is_made_of(
    evaluation: Mapping[str, Any],
    weights: str,
    fingerprint: str | None,
    counted: tuple[int, int] | None = None,
) -> bool:
    """Return whether a file is of the weights and the images of an evaluation.

    Where one of the two does not say it, for it is of an earlier version, by what it counted.

    Args:
        evaluation: of results.json.
        weights: the digest in the file.
        fingerprint: of the images, in the file.
        counted: how many images the file is of, and how many of them were taken for another class.
    """
    images = (evaluation.get("test") or {}).get("fingerprint")
    if None not in (images, fingerprint) and images != fingerprint:
        return False
    known = evaluation["checkpoint"].get("weights")
    if known is not None:
        return bool(known == weights)
    correct = sum(row["correct"] for row in evaluation["classes"])
    return counted in (None, (evaluation["images"], evaluation["images"] - correct))
