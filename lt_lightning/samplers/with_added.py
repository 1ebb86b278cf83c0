"""Original and added images together."""

import torch
from torch import Tensor

from lt_lightning.inputs import ClassCounts
from lt_lightning.samplers.base import ClassRule, SamplingRule, draw_by_class
from lt_lightning.samplers.class_balanced import ClassBalanced
from lt_lightning.samplers.class_index import ClassIndex


class WithAdded(SamplingRule):
    """CAM-based sampling: classes as a rule draws them, images from original and added ones.

    P_j is that of the rule for the original class counts. Within a class every image, original or
    added, has the same probability. The epoch is as long as there are original images.

    Paper: Zhang et al., Bag of Tricks for Long-Tailed Visual Recognition, AAAI 2021 (its code),
    where `lt cam` has made the added images.

    Differs from the authors' code in the length of an epoch: on CIFAR theirs grows to the number
    of all images; set data.epoch_length for that.

    Args:
        rule: how the classes are drawn: ClassBalanced, SquareRoot, ProgressivelyBalanced.
    """

    def __init__(self, rule: ClassRule = ClassBalanced()) -> None:
        self.rule = rule

    @property
    def changes_over_run(self) -> bool:  # type: ignore[override]
        """Whether the rule of the classes changes."""
        return self.rule.changes_over_run

    @property
    def draws_added(self) -> bool:
        """Whether added images are drawn: they are."""
        return True

    def class_probabilities(self, class_counts: ClassCounts, epoch: int, max_epochs: int) -> Tensor:
        """Return the shares of the rule."""
        return self.rule.class_probabilities(class_counts, epoch, max_epochs)

    def draw(
        self, index: ClassIndex, size: int, generator: torch.Generator, epoch: int, max_epochs: int
    ) -> Tensor:
        """Return `size` independent draws."""
        p = self.rule.shares(index.counts, epoch, max_epochs)
        return draw_by_class(index.with_added, p, size, generator)
