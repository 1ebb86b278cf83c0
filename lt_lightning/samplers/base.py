"""What every sampling rule gives, and the two ways in which images are drawn."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from lt_lightning.samplers.class_index import ClassIndex


class SamplingRule(ABC):
    """Which images make up an epoch.

    A rule only stores its parameters; `EpochSampler` gives it the data, the generator and the
    epoch, and deals its draw out to the processes. So every rule is exact on any number of them.
    """

    @property
    def draws_added(self) -> bool:
        """Whether images that were added to those of the source are drawn too."""
        return False

    def epoch_length(self, index: ClassIndex) -> int:
        """Return the images of an epoch; N unless the rule says otherwise."""
        return len(index)

    @abstractmethod
    def class_probabilities(self, class_counts: Tensor, epoch: int, max_epochs: int) -> Tensor:
        """Return the expected share of each class in the epoch, float64 (C,), sum 1."""

    @abstractmethod
    def draw(
        self, index: ClassIndex, size: int, generator: torch.Generator, epoch: int, max_epochs: int
    ) -> Tensor:
        """Return `size` image indices, int64, from `generator` alone.

        Args:
            index: the images of each class.
            size: images to draw.
            generator: a CPU generator that depends on seed, stream and epoch.
            epoch: 0-based.
            max_epochs: epochs of the run.
        """


class ClassRule(SamplingRule):
    """A rule that draws a class first, then one of its images uniformly, with replacement."""

    def draw(
        self, index: ClassIndex, size: int, generator: torch.Generator, epoch: int, max_epochs: int
    ) -> Tensor:
        """Return `size` independent draws."""
        p = self.class_probabilities(index.counts, epoch, max_epochs)
        return draw_by_class(index, p, size, generator)


def draw_by_class(index: ClassIndex, p: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Return `size` images, each of a class that has the probability `p` (C,).

    Only C probabilities are kept, never N: torch.multinomial takes at most 2^24 categories.
    """
    classes = torch.multinomial(p, size, replacement=True, generator=generator)
    place = torch.rand(size, generator=generator, dtype=torch.float64)
    return index.order[index.start[classes] + (place * index.counts[classes]).to(torch.int64)]


def permutations(length: int, size: int, generator: torch.Generator) -> Tensor:
    """Return `size` numbers out of 0..length-1: whole permutations, the last one cut."""
    rounds = -(-size // length)
    drawn = [torch.randperm(length, generator=generator) for _ in range(rounds)]
    return torch.cat(drawn)[:size] if drawn else torch.empty(0, dtype=torch.int64)


def shares(weights: Tensor) -> Tensor:
    """Return `weights` (C,) divided by their sum, float64."""
    wide = weights.to(torch.float64)
    return wide / wide.sum()
