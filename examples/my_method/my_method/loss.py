"""A loss: a formula of logits, targets and class sizes."""

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from lt_lightning.inputs import ClassCounts
from lt_lightning.losses import Loss


class PartlyBalancedSoftmax(Loss):
    """Cross-entropy with tau times the log of the class size added to the logits in training.

    l_i = CE(z_i + tau log n, y_i). tau = 0 is cross-entropy, tau = 1 Balanced Softmax.

    Paper: write here where the equation stands.

    Args:
        class_counts: training images per class, (C,).
        tau: how much of the class sizes is compensated, from 0 to 1.
        options: see Loss: weights and reduction.
    """

    corrects_prior = True  # so that `lt` warns of a second compensation
    shift: Tensor

    def __init__(self, class_counts: ClassCounts, *, tau: float = 0.75, **options: Any) -> None:
        super().__init__(class_counts, **options)
        # A table is a buffer: it moves with the module and is in the checkpoint.
        self.table("shift", tau * self.class_counts.double().log())

    def assumed(self, log_shares: Tensor) -> Tensor:
        """Return the shares as drawn, less those that are compensated."""
        return log_shares - self.shift.double().cpu()

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of each image, (N,)."""
        return F.cross_entropy(logits + self.shift, targets, reduction="none")
