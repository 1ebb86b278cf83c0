"""Logit adjustment after training: the log-prior is subtracted from the logits."""

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

from lt_lightning.errors import UserError
from lt_lightning.inputs import ClassCounts, are_probabilities, check_class_counts
from lt_lightning.losses.checks import (
    check_batch,
    check_range,
    check_values,
)
from lt_lightning.losses.logit_adjustment import log_prior
from lt_lightning.metrics.prediction import predicted_class


def adjust_logits(logits: Tensor, class_counts: ClassCounts, tau: float = 1.0) -> Tensor:
    """Return z - tau log(n / N), (N, C); predict with the largest.

    For a model trained with plain cross-entropy on images drawn as they are. Never after
    `LogitAdjustment` or `BalancedSoftmax`, which have compensated already.

    Paper: Menon et al., Long-Tail Learning via Logit Adjustment, ICLR 2021, Section 4.

    Args:
        logits: (N, C).
        class_counts: training images per class, (C,).
        tau: at least 0; 1 is canonical, 0 changes no prediction.

    Returns:
        (N, C), float32, or float64 for float64 logits.

    Raises:
        UserError: if the counts are bad, their number is not C, or tau is negative.

    >>> adjust_logits(torch.zeros(1, 2), [3, 1]).argmax(dim=1).tolist()
    [1]
    """
    wide, counts = checked_logits(logits, class_counts)
    return wide - check_range("tau", tau) * log_prior(counts).to(wide.device, wide.dtype)


def checked_logits(logits: Tensor, class_counts: ClassCounts) -> tuple[Tensor, Tensor]:
    """Return logits (N, C) in float32 or wider, and the counts as int64 (C,).

    Raises:
        UserError: if the counts are bad, their number is not C, or the logits are probabilities.
    """
    counts = check_class_counts(class_counts)
    if logits.ndim != 2 or logits.shape[1] != len(counts):
        raise UserError(
            f"The logits have the shape {tuple(logits.shape)} but class_counts has {len(counts)} "
            "classes: give both the same number of classes."
        )
    if are_probabilities(logits):
        raise UserError(
            "The logits lie in [0, 1] and each row sums to 1, as probabilities do: give the "
            "outputs of the classifier before softmax."
        )
    return (logits if logits.dtype == torch.float64 else logits.float()), counts


def macro_accuracy(predictions: Tensor, targets: Tensor, num_classes: int) -> float:
    """Return the mean over classes of the accuracy within each class, in [0, 1].

    Classes without an image in `targets` are left out.
    """
    total = torch.bincount(targets, minlength=num_classes)
    right = torch.bincount(targets[predictions == targets], minlength=num_classes)
    present = total > 0
    return float((right[present].double() / total[present]).mean())


def accuracy_curve(
    tried: Iterable[tuple[float, Tensor]], targets: Tensor, num_classes: int
) -> dict[float, float]:
    """Return the macro accuracy, in [0, 1], of the logits (N, C) of each value of a knob."""
    return {
        value: macro_accuracy(predicted_class(logits), targets, num_classes)
        for value, logits in tried
    }


def fit_tau(
    logits: Tensor,
    targets: Tensor,
    class_counts: ClassCounts,
    grid: Sequence[float] | None = None,
) -> float:
    """Return the tau of `grid` with the best macro accuracy; of equals the nearest to 1.

    Fit it on images that were neither trained on nor are tested on. A few of them cannot tell the
    values of a wide range apart; then 1 is what theory has.

    Args:
        logits: of held-out images, (N, C), N at least 1.
        targets: int64 (N,).
        class_counts: training images per class, (C,).
        grid: the values to try; none is 0, 0.1, ..., 2.

    Raises:
        UserError: if there is no image or no value to try, shapes do not fit, or the logits or
            targets cannot be right.
    """
    return best_tau(tau_scores(logits, targets, class_counts, grid))


def best_tau(scores: Mapping[float, float]) -> float:
    """Return the tau with the best score; of equals the nearest to 1."""
    return max(sorted(scores), key=lambda tau: (scores[tau], -abs(tau - 1.0)))


def tau_scores(
    logits: Tensor,
    targets: Tensor,
    class_counts: ClassCounts,
    grid: Sequence[float] | None = None,
) -> dict[float, float]:
    """Return the macro accuracy, in [0, 1], of each value that `fit_tau` tries."""
    values = [step / 10 for step in range(21)] if grid is None else sorted(grid)
    counts = check_class_counts(class_counts)
    check_batch(logits, targets, len(counts), len(counts))
    if not values or len(logits) == 0:
        raise UserError(
            f"fit_tau got {len(values)} values and {len(logits)} images: give at least one of each."
        )
    check_values(logits, targets, len(counts))

    tried = ((tau, adjust_logits(logits, counts, tau)) for tau in values)
    return accuracy_curve(tried, targets, len(counts))
