"""What a course has done for it by whoever begins it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

LOG = "auto.log"  # what the steps say


@dataclass(frozen=True)
class HeldOut:
    """What a run makes of the held-out images.

    Attributes:
        labels: of the images.
        right: a letter for each, 1 where it is right.
        class_names: in label order.
    """

    labels: list[int]
    right: str
    class_names: list[str]


class Works(Protocol):
    """What a course has done for it."""

    def prepare(self) -> None:
        """Do what is done to the images once, before any training."""

    def lt(self, words: Sequence[str]) -> None:
        """Run a command of `lt`, of which nothing is printed."""

    def held_out(self, run: Path) -> HeldOut:
        """Look at the held-out images with a run."""

    def report(self, runs: Sequence[Path], out: Path) -> None:
        """Write the page of runs."""

    def say(self, line: str) -> None:
        """Print a line."""
