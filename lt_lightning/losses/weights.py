"""Rules that turn class counts into class weights; any rule goes with any loss."""

import math
from abc import ABC, abstractmethod
from typing import Literal

import torch
from torch import Tensor

from lt_lightning.inputs import ClassCounts, wide_counts
from lt_lightning.losses.checks import check_choice, check_range
from lt_lightning.losses.published import nearest_setting, ratio_of


class WeightRule(ABC):
    """class_counts (C,) -> weights (C,), float64, no gradient.

    Counts may be a tensor, an array or a list: begin with `wide_counts(class_counts)`.
    """

    @abstractmethod
    def __call__(self, class_counts: ClassCounts) -> Tensor:
        """Return one weight per class, float64 (C,)."""


class InverseFrequency(WeightRule):
    """Cost-sensitive weights w_c = (n_min / n_c)^power.

    Paper: Zhang et al., Bag of Tricks for Long-Tailed Visual Recognition, AAAI 2021 (CS_CE).

    Args:
        power: 1 is inverse frequency, 0.5 its square root, 0 gives 1 for every class; at least 0.

    Raises:
        UserError: if `power` is negative.
    """

    def __init__(self, power: float = 1.0) -> None:
        self.power = check_range("power", power)

    def __call__(self, class_counts: ClassCounts) -> Tensor:
        """Return (n_min / n_c)^power."""
        counts = wide_counts(class_counts)
        return (counts.min() / counts) ** self.power


# number of classes -> beta of the published class-balanced losses
_PUBLISHED_BETA = {10: 0.9999, 100: 0.9, 1000: 0.999, 8142: 0.999}
# (number of classes, imbalance ratio) -> beta of the published class-balanced focal losses
_PUBLISHED_FOCAL_BETA: dict[tuple[int, float], float] = {
    (10, 100): 0.9999,
    (10, 50): 0.9999,
    (100, 100): 0.9,
    (100, 50): 0.99,
    (1000, 256): 0.999,
    (8142, 500): 0.999,
}


def recommended_beta(num_classes: int) -> float:
    """Return the beta of the published class-balanced losses on the data set most alike.

    The nearest by log(C) of CIFAR-10-LT 0.9999 and CIFAR-100-LT 0.9 (Bag of Tricks, CB-CE),
    ImageNet and iNaturalist 0.999 (the scripts of Cui et al.). They come from searches on test
    images; deferred re-weighting uses 0.9999 on all data sets instead.

    Args:
        num_classes: C, at least 1.

    Raises:
        UserError: if `num_classes` is below 1.

    >>> recommended_beta(100)
    0.9
    """
    check_range("num_classes", num_classes, 1.0)
    nearest = min(_PUBLISHED_BETA, key=lambda known: abs(math.log(known / num_classes)))
    return _PUBLISHED_BETA[nearest]


def recommended_focal_beta(num_classes: int, imbalance_ratio: float) -> float:
    """Return the beta of the published class-balanced focal loss on the data set most alike.

    The nearest by log(C) and log(imbalance ratio) of CIFAR-10-LT 0.9999, CIFAR-100-LT 0.9 at
    ratio 100 and 0.99 at ratio 50 (Bag of Tricks, CB-Focal), ImageNet and iNaturalist 0.999 (the
    scripts of Cui et al., set here at the ratios of ImageNet-LT and iNaturalist 2018). They come
    from searches on test images.

    Args:
        num_classes: C, at least 1.
        imbalance_ratio: largest over smallest class count, at least 1.

    Raises:
        UserError: if an argument is below 1.

    >>> recommended_focal_beta(100, 50)
    0.99
    """
    return nearest_setting(_PUBLISHED_FOCAL_BETA, num_classes, imbalance_ratio)


class EffectiveNumber(WeightRule):
    """Class-balanced weights, the inverse of each class's effective number of images.

    u_c = (1 - beta) / (1 - beta^{n_c}),  w_c = C u_c / sum_k u_k.

    With cross-entropy this is class-balanced cross-entropy, with a focal loss class-balanced
    focal loss, and with a deferred start it is DRW. beta = 0 gives 1 for every class; as beta
    goes to 1 the weights become C (1 / n_c) / sum_k (1 / n_k).

    Paper: Cui et al., Class-Balanced Loss Based on Effective Number of Samples, CVPR 2019.

    Args:
        beta: in [0, 1). 0.9999 is what DRW uses on all data sets. None is what the published
            class-balanced losses use: 0.9 on CIFAR-100-LT, for example.
        published: whose beta None takes: that of cross-entropy, `recommended_beta`, or that of
            the focal loss, `recommended_focal_beta`. A given beta does without.

    Raises:
        UserError: if `beta` is outside [0, 1) or `published` is unknown.
    """

    def __init__(
        self,
        beta: float | None = 0.9999,
        published: Literal["cross_entropy", "focal"] = "cross_entropy",
    ) -> None:
        if beta is not None:
            check_range("beta", beta, 0.0, 1.0, open_high=True)
        check_choice("published", published, ("cross_entropy", "focal"))
        self.beta, self.published = beta, published

    def __call__(self, class_counts: ClassCounts) -> Tensor:
        """Return the weights, with the sum C."""
        counts = wide_counts(class_counts)
        beta = self._published(counts) if self.beta is None else self.beta
        if beta == 0.0:
            return torch.ones_like(counts)
        # expm1 keeps all digits where beta^n is close to 1
        inverse = 1.0 / -torch.expm1(counts * math.log(beta))
        return len(counts) * inverse / inverse.sum()

    def _published(self, counts: Tensor) -> float:
        if self.published == "focal":
            return recommended_focal_beta(len(counts), ratio_of(counts))
        return recommended_beta(len(counts))


class GeneralizedReweight(WeightRule):
    """DisAlign's weights w_c = C (1 / r_c)^rho / sum_k (1 / r_k)^rho, r_c = n_c / N.

    rho = 1 is inverse frequency with the sum C, rho = 0 gives 1 for every class.

    Paper: Zhang et al., Distribution Alignment: A Unified Framework for Long-tail Visual
    Recognition, CVPR 2021.

    Differs from the paper in the factor C, which their code has too. Under the default
    "weighted_mean" a factor common to all classes has no effect.

    Args:
        rho: at least 0. The authors use 1.2 on ImageNet-LT and give no value for CIFAR-LT.

    Raises:
        UserError: if `rho` is negative.
    """

    def __init__(self, rho: float = 1.0) -> None:
        self.rho = check_range("rho", rho)

    def __call__(self, class_counts: ClassCounts) -> Tensor:
        """Return the weights, with the sum C."""
        logs = -self.rho * wide_counts(class_counts).log()
        return len(logs) * logs.softmax(0)
