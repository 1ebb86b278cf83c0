"""Batches of augmented, normalised images on the device, exact on any number of processes.

The random choices of an image depend on (seed, stream, epoch, batch, place in the batch of all
processes) alone: a run resumed anywhere, also in the middle of an epoch, sees the same pictures as
one never stopped, and several processes together those that one process sees.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lt_lightning.augment.base import check_augmented
from lt_lightning.augment.places import placed_generator
from lt_lightning.data.reader import BatchReader, Draw, derive_seed
from lt_lightning.data.source import ImageSet
from lt_lightning.processes import dealt
from lt_lightning.samplers import EpochSampler

Batch = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Pipeline:
    """What happens to a batch on its device: `augment` in training only, then `normalize`."""

    augment: Callable[[Tensor, torch.Generator], Tensor] | None
    normalize: Callable[[Tensor], Tensor]
    device: torch.device

    def __call__(self, images: Tensor, draw: Draw | None) -> Tensor:
        """Return float images; `draw` none means evaluation."""
        images = images.to(self.device, non_blocking=True)
        if self.augment is not None and draw is not None:
            generator = placed_generator(draw.seed, self.device, draw.places, draw.total)
            augmented = self.augment(images, generator)
            images = check_augmented(augmented, images, type(self.augment).__name__)
        return self.normalize(images)


def trained_batches(loaders: Sequence["TrainLoader"], limit: int | float | None) -> int:
    """Return the batches of an epoch that are trained on.

    Args:
        loaders: of the streams; the shortest ends the epoch.
        limit: trainer.limit_train_batches.
    """
    batches = min(len(loader) for loader in loaders)
    if limit is None:
        return batches
    return min(batches, limit) if isinstance(limit, int) else int(batches * limit)


class TrainLoader:
    """One epoch of one stream, in batches; its position is kept in checkpoints.

    Args:
        images: the training images.
        sampler: which images, in which order; gives this process its part.
        batch_size: images per batch on this process.
        drop_last: leave out a last batch that is not full.
        pipeline: augmentation and normalisation.
        seed: the seed of the augmentation.
        workers: DataLoader workers; only used for images in files.
        reader: of these images, where workers outlive the loader; none makes one.
        views: how often each image of a batch is in it, each time augmented anew: first all
            images once, then all again in the same order.
    """

    def __init__(
        self,
        images: ImageSet,
        sampler: EpochSampler,
        *,
        batch_size: int,
        drop_last: bool,
        pipeline: Pipeline,
        seed: int,
        workers: int = 0,
        views: int = 1,
        reader: BatchReader | None = None,
    ) -> None:
        self.images, self.sampler, self.pipeline = images, sampler, pipeline
        self.views = views
        self.batch_size, self.drop_last = batch_size, drop_last
        self.seed = seed
        self._reader = reader or BatchReader(images, workers)
        self._done = 0
        self._resume_at = 0

    def __len__(self) -> int:
        if not self.drop_last:
            return -(-len(self.sampler) // self.batch_size)
        # Of all processes: what one of them lacks would be filled up with images seen before.
        return self.sampler.size // (self.batch_size * self.sampler.num_replicas)

    def batch_length(self, batch: int) -> int:
        """Return how many images of the sampler a batch holds, 0-based, each seen `views` times."""
        return min(self.batch_size, len(self.sampler) - batch * self.batch_size)

    def has_single_image(self, batches: int) -> bool:
        """Return whether one of the first `batches` holds one image, seen once."""
        return self.views == 1 and batches > 0 and self.batch_length(batches - 1) == 1

    def __iter__(self) -> Iterator[Batch]:
        # A generator: the sampler is read at the first batch, after Lightning has set the epoch.
        first, self._resume_at = self._resume_at, 0
        order = torch.tensor(list(self.sampler), dtype=torch.int64)
        drawn = torch.split(order, self.batch_size)[first : len(self)]
        batches = [batch.repeat(self.views) for batch in drawn]
        draws = [self._draw(first + k, len(batch)) for k, batch in enumerate(drawn)]
        self._done = first
        fetched = self._reader.read(batches, draws)
        for draw, (images, labels) in zip(draws, fetched, strict=True):
            self._done += 1
            yield self.pipeline(images, draw), labels.to(self.pipeline.device)

    def _draw(self, batch: int, count: int) -> Draw:
        """Return the random choices of a batch of `count` images, each seen `views` times."""
        sampler = self.sampler
        # The 0 was the process once: without it one process would see other pictures than before.
        seed = derive_seed(self.seed, sampler.stream, sampler.epoch, batch, 0)
        before = batch * self.batch_size * sampler.num_replicas
        whole = min(count * sampler.num_replicas, sampler.size - before)
        return Draw(seed, dealt(count, sampler.rank, sampler.num_replicas), whole, self.views)

    def state_dict(self) -> dict[str, int]:
        """Return how many batches of the epoch were given out."""
        return {"done": self._done}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on after the batches that were given out; a finished epoch starts anew."""
        self._done = self._resume_at = state["done"] % max(len(self), 1)


class EvalLoader:
    """All images once, in order, without padding, whole batches dealt out to the processes.

    A batch holds the same images on one process and on many, so its logits are the same to the
    last bit, and metrics that keep integer counts are equal too. Where there are fewer batches
    than processes, the others get one batch of no image each, since Lightning stops at a loader
    of length 0.
    """

    def __init__(
        self,
        images: ImageSet,
        *,
        batch_size: int,
        pipeline: Pipeline,
        rank: int,
        world_size: int,
        workers: int = 0,
        reader: BatchReader | None = None,
    ) -> None:
        self.images, self.pipeline = images, pipeline
        self._reader = reader or BatchReader(images, workers)
        self._batches = list(torch.split(torch.arange(len(images)), batch_size))[rank::world_size]
        self._idle = not self._batches
        if self._idle:
            self._batches = [torch.arange(1)]  # read for its shape only

    def __len__(self) -> int:
        return len(self._batches)

    def places(self) -> list[Tensor]:
        """Return where the images of each batch are among all, int64."""
        return [batch[:0] if self._idle else batch for batch in self._batches]

    def __iter__(self) -> Iterator[Batch]:
        draws = [None] * len(self._batches)
        for images, labels in self._reader.read(self._batches, draws):
            if self._idle:
                images, labels = images[:0], labels[:0]
            yield self.pipeline(images, None), labels.to(self.pipeline.device)
