"""Classes by the ratio of their size to their effective number."""

import math

import torch
from torch import Tensor

from lt_lightning.errors import UserError
from lt_lightning.inputs import ClassCounts, wide_counts
from lt_lightning.samplers.base import ClassRule, shares


class EffectiveNumberBalanced(ClassRule):
    """Sampling with P_j proportional to n_j (1 - beta) / (1 - beta^n_j): nearly class-balanced.

    beta = 0 is P_j = n_j / N. At 0.9999 and 5,000 against 50 images the ratio is 1.27.

    Paper: the CIFAR sampler of Cao et al., LDAM-DRW, NeurIPS 2019, and of Yang and Xu, Value of
    Labels, NeurIPS 2020 (their code), from Cui et al., CVPR 2019.

    Args:
        beta: in [0, 1).

    Raises:
        UserError: if beta is outside [0, 1).
    """

    def __init__(self, beta: float = 0.9999) -> None:
        if not 0 <= beta < 1:
            raise UserError(f"beta is {beta}: give a number from 0 up to, but not including, 1.")
        self.beta = beta

    def class_probabilities(self, class_counts: ClassCounts, epoch: int, max_epochs: int) -> Tensor:
        """Return the shares n_j (1 - beta) / (1 - beta^n_j)."""
        counts = wide_counts(class_counts)
        if self.beta == 0:
            return shares(counts)
        return shares(counts / -torch.expm1(counts * math.log(self.beta)))
