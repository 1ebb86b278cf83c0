"""Classes by the ratio of their size to their effective number."""

import math

import torch
from torch import Tensor

from lt_lightning.inputs import ClassCounts, wide_counts
from lt_lightning.losses import recommended_beta
from lt_lightning.losses.checks import check_range
from lt_lightning.samplers.base import ClassRule, shares


class EffectiveNumberBalanced(ClassRule):
    """Sampling with P_j proportional to n_j (1 - beta) / (1 - beta^n_j): nearly class-balanced.

    beta = 0 is P_j = n_j / N. At 0.9999 and 5,000 against 50 images the ratio is 1.27.

    Paper: the CIFAR sampler of Cao et al., LDAM-DRW, NeurIPS 2019, and of Yang and Xu, Value of
    Labels, NeurIPS 2020 (their code), from Cui et al., CVPR 2019.

    Args:
        beta: in [0, 1); none is what the published class-balanced losses use, `recommended_beta`,
            as in the weights of `EffectiveNumber`.

    Raises:
        UserError: if beta is outside [0, 1).
    """

    def __init__(self, beta: float | None = 0.9999) -> None:
        if beta is not None:
            check_range("beta", beta, 0.0, 1.0, open_high=True)
        self.beta = beta

    def class_probabilities(self, class_counts: ClassCounts, epoch: int, max_epochs: int) -> Tensor:
        """Return the shares n_j (1 - beta) / (1 - beta^n_j)."""
        counts = wide_counts(class_counts)
        beta = recommended_beta(len(counts)) if self.beta is None else self.beta
        if beta == 0:
            return shares(counts)
        return shares(counts / -torch.expm1(counts * math.log(beta)))
