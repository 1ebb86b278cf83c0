"""One global draw per epoch, dealt out to the processes."""

from collections.abc import Iterator
from numbers import Integral
from typing import Protocol

import torch
from torch import Tensor
from torch.utils.data import DistributedSampler

from lt_lightning.errors import UserError
from lt_lightning.inputs import Labels, check_seed, told_value
from lt_lightning.processes import dealt, own_rank, processes
from lt_lightning.samplers.checks import check_draw
from lt_lightning.samplers.class_index import ClassIndex


class Rule(Protocol):
    """What decides the draw; every `SamplingRule` is one, and makes its own sampler."""

    def epoch_length(self, index: ClassIndex) -> int:
        """Return the images of an epoch."""

    def draw(
        self, index: ClassIndex, size: int, generator: torch.Generator, epoch: int, max_epochs: int
    ) -> Tensor:
        """Return `size` indices, int64 (size,)."""


class EpochSampler(DistributedSampler[int]):
    """The torch Sampler of every rule: one global draw per epoch, rank r takes r, r + R, ...

    The draw depends on (seed, stream, epoch) alone, not on global random state or the number of
    processes, so R processes together see the images that one process sees. Where R does not
    divide the length, the first images of the draw fill up the last round.

    It is a DistributedSampler, so that Lightning does not wrap it in one of its own.

    Args:
        rule: which images make up an epoch.
        labels: (N,), a tensor, an array or a list.
        num_classes: C; none is the largest label plus one.
        seed: of the draw.
        max_epochs: epochs of the run, for rules that change over it.
        num_samples: images per epoch over all processes; none is the rule's own length.
        num_replicas: processes R; none asks torch.distributed, 1 without it.
        rank: of this process; none asks torch.distributed, 0 without it.
        stream: number of the stream; streams of one seed draw independently.
        first_epoch: the epoch of the run in which this sampler's epoch 0 is.
        added: how many of the labels, at their end, are those of added images, which only some
            rules draw.
        held: every epoch has the draw of the first, for `trainer.overfit_batches`.

    Raises:
        UserError: if a class has no image, `num_samples` is no whole number from 1 on, or the seed
            is out of range.
    """

    def __init__(
        self,
        rule: Rule,
        labels: Labels,
        *,
        num_classes: int | None = None,
        seed: int = 0,
        max_epochs: int = 1,
        num_samples: int | None = None,
        num_replicas: int | None = None,
        rank: int | None = None,
        stream: int = 0,
        first_epoch: int = 0,
        added: int = 0,
        held: bool = False,
    ) -> None:
        # The parent's constructor would ask for a data set, of which only the length is known.
        self.rule, self.index = rule, ClassIndex(labels, num_classes, added)
        self.seed, self.stream, self.max_epochs = check_seed("seed", seed), stream, max_epochs
        self.held = held
        self.num_replicas = processes() if num_replicas is None else num_replicas
        self.rank = own_rank() if rank is None else rank
        if not 0 <= self.rank < self.num_replicas:
            raise UserError(
                f"rank is {self.rank} of num_replicas {self.num_replicas}: give 1 process or more, "
                "and a rank from 0 to one less."
            )
        self.size = self._length(rule, num_samples)
        if self.size < 1:
            raise UserError(f"The epoch has {self.size} images: give 1 or more.")
        self.num_samples = -(-self.size // self.num_replicas)
        self.total_size = self.num_samples * self.num_replicas
        self.epoch, self.first_epoch = 0, first_epoch

    def _length(self, rule: Rule, num_samples: object) -> int:
        """Return the images of an epoch: those asked for, or the rule's own length."""
        size: object = rule.epoch_length(self.index) if num_samples is None else num_samples
        if isinstance(size, Integral):
            return int(size)
        if num_samples is not None:
            raise UserError(
                f"num_samples is {told_value(num_samples)}: give a whole number of images, 1 or "
                "more."
            )
        raise UserError(
            f"{type(rule).__name__}.epoch_length gave {told_value(size)}: return a whole number of "
            "images, such as `len(index)`."
        )

    def __len__(self) -> int:
        return self.num_samples

    def global_indices(self) -> Tensor:
        """Return the draw of this epoch, the same on every process, int64 (total_size,).

        Raises:
            UserError: if the rule gives something else than `size` images of the data.
        """
        generator = torch.Generator().manual_seed(
            (self.seed * 1_000_003 + self.epoch) * 97 + self.stream
        )
        drawn = self.rule.draw(self.index, self.size, generator, self.epoch, self.max_epochs)
        check_draw(drawn, self.size, len(self.index.with_added), type(self.rule).__name__)
        missing = self.total_size - self.size
        return torch.cat([drawn, drawn.repeat(-(-missing // self.size))[:missing]])

    def __iter__(self) -> Iterator[int]:
        own = dealt(self.num_samples, self.rank, self.num_replicas)
        return iter(self.global_indices()[own.start : own.stop : own.step].tolist())

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch of the run for the next draw; Lightning calls this."""
        self.epoch = 0 if self.held else epoch - self.first_epoch

    def state_dict(self) -> dict[str, int]:
        """Return the epoch; the position within it is kept by the loader."""
        return {"epoch": self.epoch}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go back to the epoch of `state_dict`."""
        self.epoch = state["epoch"]
