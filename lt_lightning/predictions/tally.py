"""The accuracy of predictions whose classes are known."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from lt_lightning.metrics import ClassStats
from lt_lightning.metrics.names import ACC, ACC_MACRO, ACC_TOP5, F1_MACRO, group_acc
from lt_lightning.report.measures import Measure

_AT_ONCE = 256


class Tally:
    """Counts predictions as a test does.

    Args:
        num_classes: C.
        groups: classes of each group.
    """

    def __init__(self, num_classes: int, groups: Mapping[str, Sequence[int]]) -> None:
        self._stats = ClassStats(num_classes, groups=groups, probabilities=True)
        self._waiting: list[tuple[Tensor, int]] = []
        self.images = 0

    def add(self, chances: Tensor, label: int) -> None:
        """Count one image: probabilities (C,) and its class."""
        self.images += 1
        self._waiting.append((chances, label))
        if len(self._waiting) == _AT_ONCE:
            self._count()

    def _count(self) -> None:
        if self._waiting:
            chances, labels = zip(*self._waiting, strict=True)
            self._stats.update(torch.stack(chances), torch.tensor(labels))
            self._waiting = []

    def values(self) -> dict[str, float]:
        """Return the metrics by name."""
        self._count()
        return dict(self._stats.compute())

    def told(self) -> str:
        """Return the accuracies and the macro F1 in one line."""
        values = self.values()
        shown = {"all": values[ACC], "macro (balanced)": values[ACC_MACRO]}
        if ACC_TOP5 in values:  # there are more than five classes
            shown["top-5"] = values[ACC_TOP5]
        for group in self._stats.groups:
            if group_acc(group) in values:  # it has images
                shown[Measure(group, group=True).heading] = values[group_acc(group)]
        numbers = ", ".join(f"{name} {100 * value:.2f} %" for name, value in shown.items())
        f1 = f"macro F1 {100 * values[F1_MACRO]:.2f} %"
        return f"Accuracy on {self.images} labelled images: {numbers}; {f1}"
