"""How many images each class keeps, and which ones."""

from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Tensor

from lt_lightning.errors import UserError
from lt_lightning.inputs import check_seed


class Profile(ABC):
    """available images per class (C,) -> images kept per class (C,).

    Attributes:
        imbalance_ratio: head count / tail count that is asked for; none where none is.
    """

    imbalance_ratio: float | None = None

    @abstractmethod
    def __call__(self, available: Tensor) -> Tensor:
        """Return how many images each class keeps, int64 (C,)."""

    def short(self, available: Tensor) -> Tensor:
        """Return which classes lack more than a tenth of what is asked for, bool (C,)."""
        return torch.zeros_like(available, dtype=torch.bool)


def _check_ratio(imbalance_ratio: float) -> float:
    if not imbalance_ratio >= 1 or imbalance_ratio == float("inf"):
        raise UserError(
            f"imbalance_ratio is {imbalance_ratio}: give head count / tail count, 1 or more (the "
            "0.01 of other codes is 100 here)."
        )
    return float(imbalance_ratio)


def _keep(wanted: list[int], available: Tensor, ratio: float) -> Tensor:
    if bool((available < 1).any()):
        missing = (available < 1).nonzero().flatten().tolist()
        raise UserError(
            f"The classes {missing[:10]} have no training image: add images, or leave them out."
        )
    kept = torch.minimum(torch.tensor(wanted, dtype=torch.int64), available)
    if bool((kept < 1).any()):
        empty = (kept < 1).nonzero().flatten().tolist()
        raise UserError(
            f"imbalance_ratio {ratio:g} leaves no training image for the classes {empty[:10]}: "
            "give a smaller ratio."
        )
    return kept


def _short(wanted: list[int], available: Tensor) -> Tensor:
    return available < 0.9 * torch.tensor(wanted)


class Exponential(Profile):
    """Exponential long tail: n_j = int(n_max * (1/ratio)^(j/(C-1))), head first.

    n_max is the mean number of images per class (5000 in CIFAR-10, 500 in CIFAR-100). The value is
    truncated, not rounded, in float64: 12,406 images for CIFAR-10 at ratio 100.

    Paper: Cui et al., Class-Balanced Loss, CVPR 2019; Cao et al., LDAM-DRW, NeurIPS 2019 (its code
    defines the subset that most papers use).

    Args:
        imbalance_ratio: head count / tail count, at least 1. The field's "imbalance factor 0.01"
            is 100.

    Raises:
        UserError: if the ratio is below 1 or leaves a class empty.
    """

    def __init__(self, imbalance_ratio: float = 100.0) -> None:
        self.imbalance_ratio: float = _check_ratio(imbalance_ratio)

    def __call__(self, available: Tensor) -> Tensor:
        """Return n_j, at most the available images."""
        return _keep(self._wanted(available), available, self.imbalance_ratio)

    def short(self, available: Tensor) -> Tensor:
        """Return which classes lack more than a tenth of n_j, bool (C,)."""
        return _short(self._wanted(available), available)

    def _wanted(self, available: Tensor) -> list[int]:
        classes, n_max = len(available), float(available.sum()) / len(available)
        factor = 1.0 / self.imbalance_ratio
        return [int(n_max * factor ** (j / max(classes - 1, 1))) for j in range(classes)]


class Step(Profile):
    """Step imbalance: the first classes keep n_max images, the rest n_max / ratio.

    Paper: Buda et al., A systematic study of the class imbalance problem, Neural Networks 2018;
    Cao et al., LDAM-DRW, NeurIPS 2019 (head_fraction 0.5).

    Args:
        imbalance_ratio: head count / tail count, at least 1.
        head_fraction: the share of the classes that stay large, in (0, 1); rounded down, but at
            least one class is large and at least one is small.

    Raises:
        UserError: if the ratio is below 1 or leaves a class empty, or the share is outside (0, 1).
    """

    def __init__(self, imbalance_ratio: float = 100.0, head_fraction: float = 0.5) -> None:
        if not 0 < head_fraction < 1:
            raise UserError(f"head_fraction is {head_fraction}: give a number between 0 and 1.")
        self.imbalance_ratio: float = _check_ratio(imbalance_ratio)
        self.head_fraction = head_fraction

    def __call__(self, available: Tensor) -> Tensor:
        """Return n_max for the head classes and int(n_max / ratio) for the others."""
        return _keep(self._wanted(available), available, self.imbalance_ratio)

    def short(self, available: Tensor) -> Tensor:
        """Return which classes lack more than a tenth of that, bool (C,)."""
        return _short(self._wanted(available), available)

    def _wanted(self, available: Tensor) -> list[int]:
        classes, n_max = len(available), float(available.sum()) / len(available)
        # The small number is for shares such as 0.29 of 100 classes, 28.999999999999996 in float64.
        head = min(max(int(classes * self.head_fraction + 1e-9), 1), max(classes - 1, 1))
        tail = int(n_max * (1.0 / self.imbalance_ratio))
        return [int(n_max)] * head + [tail] * (classes - head)


class AsIs(Profile):
    """All images, for data that are long-tailed by themselves."""

    def __call__(self, available: Tensor) -> Tensor:
        """Return the available images."""
        return _keep(available.tolist(), available, 1.0)


def choose_images(labels: Tensor, keep: Tensor, seed: int) -> Tensor:
    """Return the indices of the images kept, class after class.

    For class 0, 1, ... the ascending indices of the class are shuffled by one private legacy
    NumPy generator and the first `keep[c]` are taken: on CIFAR with seed 0 these are the very
    images of the LDAM-DRW code, and subsets of one seed are nested over ratios. Global random
    state is neither read nor changed.

    Args:
        labels: int64 (N,), in the source's own order.
        keep: images to keep per class, (C,).
        seed: the subset seed, apart from the training seed.

    Returns:
        int64 (sum of keep,), sorted by class.

    Raises:
        UserError: if NumPy's legacy generator does not take the seed.
    """
    check_seed("The seed of a subset", seed)
    # The legacy generator on purpose: the published subset is defined by its shuffle.
    generator = np.random.RandomState(seed)
    chosen, array = [], labels.numpy()
    for c, count in enumerate(keep.tolist()):
        members = np.where(array == c)[0]
        generator.shuffle(members)
        chosen.append(torch.from_numpy(members[:count].copy()))
    return torch.cat(chosen).to(torch.int64)
