"""How often each class is taken for each other one."""

import torch
from torch import Tensor

from lt_lightning.errors import UserError
from lt_lightning.metrics.exact import ExactMetric
from lt_lightning.metrics.prediction import NO_CLASS, predicted_class


def check_batch(logits: Tensor, targets: Tensor, num_classes: int) -> None:
    """Refuse shapes that do not fit; it looks at no value, so it does not wait for the device."""
    if logits.ndim != 2 or logits.shape[1] != num_classes or targets.shape != logits.shape[:1]:
        raise UserError(
            f"The logits have the shape {tuple(logits.shape)} and the targets "
            f"{tuple(targets.shape)}: give (N, {num_classes}) and (N,)."
        )


class ConfusionCounts(ExactMetric):
    """Images of each true class by predicted class, int64 (C, C).

    Rows are true classes, columns predictions. An image without a prediction (see
    `predicted_class`) is left out.

    Args:
        num_classes: the number of classes C, at most `LIMIT`, for the table has C^2 numbers.

    Raises:
        UserError: if there are too many classes.

    >>> counts = ConfusionCounts(2)
    >>> counts.update(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.tensor([0, 0]))
    >>> counts.compute().tolist()
    [[1, 1], [0, 0]]
    """

    LIMIT = 1000
    counts: Tensor

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        if not 1 <= num_classes <= self.LIMIT:
            raise UserError(
                f"num_classes is {num_classes}: a confusion table takes 1 to {self.LIMIT} classes."
            )
        self.num_classes = num_classes
        zeros = torch.zeros(num_classes, num_classes, dtype=torch.int64)
        self.add_state("counts", default=zeros, dist_reduce_fx="sum")

    def update(self, logits: Tensor, targets: Tensor) -> None:
        """Count one batch, without waiting for the device.

        Args:
            logits: (N, C), before softmax.
            targets: int64 (N,).
        """
        check_batch(logits, targets, self.num_classes)
        predicted = predicted_class(logits)
        cell = targets * self.num_classes + predicted.clamp_min(0)
        usable = (predicted != NO_CLASS).to(torch.int64)
        flat = self.counts.flatten().index_add(0, cell, usable)
        self.counts = flat.view(self.num_classes, self.num_classes)

    def compute(self) -> Tensor:
        """Return the counts, int64 (C, C)."""
        return self.counts
