"""What every sampling rule gives, and the two ways in which images are drawn."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from lt_lightning.errors import UserError
from lt_lightning.inputs import ClassCounts, Labels
from lt_lightning.samplers.checks import check_shares
from lt_lightning.samplers.class_index import ClassIndex
from lt_lightning.samplers.epoch_sampler import EpochSampler


class SamplingRule(ABC):
    """Which images make up an epoch.

    A rule only stores its parameters; `EpochSampler` gives it the data, the generator and the
    epoch, and deals its draw out to the processes. So every rule is exact on any number of them.

    Attributes:
        changes_over_run: whether epochs differ in more than their random numbers, so that the
            length of the run must be known.
        leaves_images_out: whether some images are never drawn, whatever the seed, on purpose.
    """

    changes_over_run: bool = False
    leaves_images_out: bool = False

    def sampler(
        self,
        labels: Labels,
        *,
        num_classes: int | None = None,
        seed: int = 0,
        max_epochs: int | None = None,
        num_samples: int | None = None,
        num_replicas: int | None = None,
        rank: int | None = None,
        added: int = 0,
    ) -> EpochSampler:
        """Return the torch sampler of this rule, for `DataLoader(dataset, sampler=...)`.

        Call its `set_epoch` before each epoch, as with torch's DistributedSampler: without it
        every epoch is the same draw.

        Args:
            labels: (N,), the class of each image of the data set; a tensor, an array or a list.
            num_classes: C; none is the largest label plus one.
            seed: of the draw.
            max_epochs: epochs of the run, which only a rule that changes over it asks for.
            num_samples: images per epoch over all processes; none is the rule's own length.
            num_replicas: processes; none asks torch.distributed, 1 without it.
            rank: of this process; none asks torch.distributed, 0 without it.
            added: how many of the labels, at their end, are those of added images.

        Raises:
            UserError: if a class has no image, or the length of the run is needed and missing.
        """
        if max_epochs is None and self.changes_over_run:
            raise UserError(
                f"{type(self).__name__} changes over the run: give max_epochs, its epochs."
            )
        return EpochSampler(
            self,
            labels,
            num_classes=num_classes,
            seed=seed,
            max_epochs=max_epochs or 1,
            num_samples=num_samples,
            num_replicas=num_replicas,
            rank=rank,
            added=added,
        )

    @property
    def draws_added(self) -> bool:
        """Whether images that were added to those of the source are drawn too."""
        return False

    def epoch_length(self, index: ClassIndex) -> int:
        """Return the images of an epoch; N unless the rule says otherwise."""
        return len(index)

    @abstractmethod
    def class_probabilities(self, class_counts: ClassCounts, epoch: int, max_epochs: int) -> Tensor:
        """Return the expected share of each class in the epoch, float64 (C,), sum 1."""

    def shares(self, class_counts: Tensor, epoch: int, max_epochs: int) -> Tensor:
        """Return `class_probabilities`, after a look at them.

        Raises:
            UserError: if they are not float64 (C,), each at least 0, with the sum 1.
        """
        found = self.class_probabilities(class_counts, epoch, max_epochs)
        return check_shares(found, len(class_counts), type(self).__name__)

    @abstractmethod
    def draw(
        self, index: ClassIndex, size: int, generator: torch.Generator, epoch: int, max_epochs: int
    ) -> Tensor:
        """Return `size` image indices, int64 (size,), from `generator` alone.

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
        p = self.shares(index.counts, epoch, max_epochs)
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
