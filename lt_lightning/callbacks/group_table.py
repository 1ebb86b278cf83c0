"""The accuracy of each group on held-out images, as a table for a terminal."""

from collections.abc import Mapping, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from lt_lightning.metrics.names import ACC, ACC_MACRO, ACC_WORST, ECE, VAL, group_acc, logged


class GroupTable:
    """Keeps the newest validation and the best one so far, by the mean over the classes.

    Args:
        groups: the classes of each group; empty groups have no column.
        on_test: whether the images are those of the test split.
    """

    def __init__(self, groups: Mapping[str, Sequence[int]], on_test: bool = False) -> None:
        self.columns = {"all": ACC, "macro": ACC_MACRO}
        for name, members in groups.items():
            classes = "class" if len(members) == 1 else "classes"
            self.columns[f"{name} ({len(members)} {classes})"] = group_acc(name)
        self.columns |= {"worst": ACC_WORST, "ECE": ECE}
        self.title = f"accuracy in % on {'TEST' if on_test else 'held-out'} images"
        self.newest: tuple[int, dict[str, float]] | None = None
        self.best: tuple[int, dict[str, float]] | None = None

    def add(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Take the metrics of an epoch, counted from 0."""
        values = {name: metrics.get(logged(VAL, name)) for name in self.columns.values()}
        known = {name: 100 * float(value) for name, value in values.items() if value is not None}
        if not known:
            return
        self.newest = epoch, known
        if self.best is None or known.get(ACC_MACRO, 0) > self.best[1].get(ACC_MACRO, 0):
            self.best = self.newest

    def table(self) -> Table | None:
        """Return the table, or none before the first validation."""
        if self.newest is None or self.best is None:
            return None
        shown = [name for name, key in self.columns.items() if key in self.newest[1]]
        table = Table(title=self.title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("epoch")
        for name in shown:
            table.add_column(Text(name), justify="right")  # a name in brackets is no mark-up
        for words, (epoch, values) in (("", self.newest), (", best macro", self.best)):
            numbers = [values.get(self.columns[name]) for name in shown]
            cells = ["-" if number is None else f"{number:.1f}" for number in numbers]
            table.add_row(f"{epoch + 1}{words}", *cells)
        return table
