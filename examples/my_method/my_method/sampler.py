"""A sampler: the share of each class in an epoch."""

from torch import Tensor

from lt_lightning.inputs import ClassCounts, wide_counts
from lt_lightning.samplers import ClassRule


class PartlyBalanced(ClassRule):
    """Half-way sampling: P_j = (1 - share) n_j / N + share / C.

    Paper: write here where the equation stands.

    Args:
        share: 0 draws images as they are, 1 all classes equally often.
    """

    def __init__(self, share: float = 0.5) -> None:
        self.share = share

    def class_probabilities(self, class_counts: ClassCounts, epoch: int, max_epochs: int) -> Tensor:
        """Return the share of each class, float64 (C,), sum 1."""
        sizes = wide_counts(class_counts)  # of a list, an array or a tensor
        return (1 - self.share) * sizes / sizes.sum() + self.share / len(sizes)
