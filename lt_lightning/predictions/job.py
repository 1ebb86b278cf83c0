"""Classifying a stream of pictures into a table."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import track
from torch import Tensor

from lt_lightning.data.decode import Unreadable, read_image
from lt_lightning.engine.predictor import Predictor
from lt_lightning.errors import UserError, counted
from lt_lightning.predictions.pictures import Picture, label_index
from lt_lightning.predictions.read_ahead import read_ahead
from lt_lightning.predictions.table import Layout, table
from lt_lightning.predictions.tally import Tally

_AHEAD = 4  # pictures for each thread


@dataclass
class Job:
    """What is asked for, and afterwards what came of it.

    Attributes:
        predictor: the run.
        tally: counts what has a label.
        batch_size: pictures that are looked at together.
        threads: that decode, 1 or more.
        skip_unreadable: leave out what cannot be read, instead of stopping there.
        seen: pictures that were asked for.
        skipped: how many of them were left out.
        first_skipped: the first of them, with its fault.
    """

    predictor: Predictor
    tally: Tally
    batch_size: int = 128
    threads: int = 2
    skip_unreadable: bool = False
    seen: int = 0
    skipped: int = 0
    first_skipped: str = field(default="", init=False)

    def write(self, stream: Iterator[Picture], out: Path, layout: Layout) -> None:
        """Write one row for each picture, in their order.

        Raises:
            UserError: if a picture cannot be read and is not to be left out, has the label of no
                class, or gets no finite numbers; nothing is written then.
        """
        names = self.predictor.class_names
        places = {name: place for place, name in enumerate(names)}
        with table(out, layout) as rows:
            for row in self.predictor.classify(self._images(stream), self.batch_size):
                label = label_index(row.name, names, places)
                rows.add(layout.cells(row.name.name, row.place, label, row.probabilities))
                if label is not None:
                    self.tally.add(row.probabilities, label)
            if self.seen == self.skipped:
                raise UserError(
                    f"None of {counted(self.seen, 'image')} can be read: {self.first_skipped}"
                )

    def _images(self, stream: Iterator[Picture]) -> Iterator[tuple[Picture, Tensor]]:
        """Yield each picture that can be read with its pixels."""
        ahead = _AHEAD * self.threads
        pairs = read_ahead(stream, self._read, self.threads, ahead)
        console = Console(stderr=True)  # standard output has the accuracy alone
        quiet = not console.is_terminal
        for picture, found in track(
            pairs, "Classifying", total=None, console=console, disable=quiet
        ):
            self.seen += 1
            if isinstance(found, Tensor):
                yield picture, found
                continue
            told = f"The image {picture} {found.fault}"
            if not self.skip_unreadable:
                raise UserError(f"{told}: remove it, or add --skip_unreadable.")
            self.skipped += 1
            self.first_skipped = self.first_skipped or told

    def _read(self, picture: Picture) -> Tensor | Unreadable:
        try:
            run = self.predictor
            return read_image(picture.path, run.image_size, reading=run.reading)
        except Unreadable as error:
            return error
