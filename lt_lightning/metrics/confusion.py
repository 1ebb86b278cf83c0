"""How often each class is taken for each other one."""

import torch
from torch import Tensor

from lt_lightning.errors import UserError
from lt_lightning.inputs import are_probabilities, check_tensors
from lt_lightning.metrics.exact import ExactMetric
from lt_lightning.metrics.prediction import NO_CLASS, predicted_class


def check_batch(logits: Tensor, targets: Tensor, num_classes: int, look: bool = False) -> Tensor:
    """Return the targets as int64, or say why they do not fit the logits.

    Args:
        logits: (N, C).
        targets: whole numbers of any type, (N,).
        num_classes: C.
        look: whether their values are looked at on another device too, which waits for it; on the
            CPU they always are.

    Raises:
        UserError: if one is no tensor, or shapes, types or values cannot be right.
    """
    check_tensors(logits=logits, targets=targets)
    if logits.ndim != 2 or logits.shape[1] != num_classes or targets.shape != logits.shape[:1]:
        raise UserError(
            f"The logits have the shape {tuple(logits.shape)} and the targets "
            f"{tuple(targets.shape)}: give (N, {num_classes}) and (N,)."
        )
    if targets.is_floating_point() or targets.is_complex() or targets.dtype == torch.bool:
        raise UserError(
            f"The targets have the type {targets.dtype}: give one class index per image, int64 "
            f"({len(logits)},)."
        )
    whole = targets.to(torch.int64)
    if (look or targets.device.type == "cpu") and len(whole) > 0:
        low, high = int(whole.min()), int(whole.max())
        if low < 0 or high >= num_classes:
            raise UserError(
                f"The targets run from {low} to {high} but there are {num_classes} classes: number "
                f"the classes from 0 to {num_classes - 1}."
            )
    return whole


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
            targets: whole numbers, (N,).

        Raises:
            UserError: if they do not fit.
        """
        targets = check_batch(logits, targets, self.num_classes)
        predicted = predicted_class(logits)
        cell = targets * self.num_classes + predicted.clamp_min(0)
        usable = (predicted != NO_CLASS).to(torch.int64)
        flat = self.counts.flatten().index_add(0, cell, usable)
        self.counts = flat.view(self.num_classes, self.num_classes)

    def compute(self) -> Tensor:
        """Return the counts, int64 (C, C)."""
        return self.counts


def check_kind(rows: Tensor, probabilities: bool) -> None:
    """Refuse probabilities in the place of logits, and the reverse; it waits for the device.

    Raises:
        UserError: with what to give.
    """
    if (
        rows.shape[1] > 1
        and bool(rows.isfinite().all())
        and are_probabilities(rows) != probabilities
    ):
        raise UserError(
            "The rows are no probabilities, which lie in [0, 1] and sum to 1: give softmax(logits),"
            " or logits to ClassStats without probabilities=True."
            if probabilities
            else "The logits lie in [0, 1] and each row sums to 1, as probabilities do: give the "
            "outputs before softmax; ClassStats takes them with probabilities=True."
        )
