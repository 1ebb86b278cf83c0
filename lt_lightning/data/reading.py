"""How image files are read: what is behind transparency, how grey a grey is, which side is up."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from lt_lightning.errors import UserError


@dataclass(frozen=True)
class Reading:
    """How image files are read; a checkpoint keeps it, for prediction must read alike.

    Args:
        background: red, green and blue, each from 0 to 255, behind transparent pixels; none drops
            the transparency.
        grey_bits: bits of a grey sample that is kept in 16, from 8 to 16; none takes what the file
            says, and refuses a picture that would come out nearly black.
        upright: whether a picture is turned as its EXIF orientation says; `AS_BEFORE` alone is
            not so.

    Raises:
        UserError: if a number is out of its range.
    """

    background: tuple[int, int, int] | None = (255, 255, 255)
    grey_bits: int | None = None
    upright: bool = True

    def __post_init__(self) -> None:
        colour, bits = self.background, self.grey_bits
        if colour is not None and not (
            len(colour) == 3 and all(type(value) is int and 0 <= value <= 255 for value in colour)
        ):
            raise UserError(
                f"background is {list(colour)}: give red, green and blue from 0 to 255."
            )
        if bits is not None and not 8 <= bits <= 16:
            raise UserError(f"grey_bits is {bits}: give 8 to 16, or null for what the file says.")

    def facts(self) -> dict[str, Any]:
        """Return it as plain values, for a checkpoint."""
        colour = None if self.background is None else list(self.background)
        return {"background": colour, "grey_bits": self.grey_bits, "upright": self.upright}

    @staticmethod
    def of(facts: Mapping[str, Any]) -> "Reading":
        """Return that of a checkpoint; an old one reads as its training did."""
        if "upright" not in facts:
            return AS_BEFORE
        colour = facts.get("background")
        colour = None if colour is None else (colour[0], colour[1], colour[2])
        return Reading(colour, facts.get("grey_bits"), facts["upright"])


# Before there was a choice: checkpoints from then must see the pixels that they were trained on.
AS_BEFORE = Reading(background=None, grey_bits=16, upright=False)
_of_checkpoint: ContextVar[Reading | None] = ContextVar("reading of a checkpoint", default=None)


@contextmanager
def read_as(saved: Mapping[str, Any]) -> Iterator[None]:
    """Build sources that read image files as the training of a checkpoint did.

    A newer checkpoint says how, and its config asks for it; an old one says nothing, and where
    it was gone on with, what no config can ask for.

    Args:
        saved: the facts of the data in the checkpoint.
    """
    token = _of_checkpoint.set(AS_BEFORE if Reading.of(saved) == AS_BEFORE else None)
    try:
        yield
    finally:
        _of_checkpoint.reset(token)


def reading(background: tuple[int, int, int] | None, grey_bits: int | None) -> Reading:
    """Return how files are read: as asked, or as an old checkpoint at work wants it."""
    return _of_checkpoint.get() or Reading(background, grey_bits)
