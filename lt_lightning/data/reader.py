"""Batches of uint8 images: looked up in memory, or decoded by workers that outlive an epoch."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from lt_lightning.data.source import FileImages, ImageSet, MemoryImages
from lt_lightning.runs.environment import cores


@dataclass(frozen=True)
class Draw:
    """Where the random choices of a batch come from.

    Attributes:
        seed: of the batch of all processes.
        dealt: where the images of this process are in that batch; where the processes do not
            divide its images, the first ones come again behind the last.
        images: that the batch of all has.
        views: how often each is seen, first all once, then all again.
    """

    seed: int
    dealt: range
    images: int
    views: int = 1

    @property
    def total(self) -> int:
        """Return how many images the batch of all has, each view counted."""
        return self.images * self.views

    @property
    def places(self) -> list[int]:
        """Return where the images of this process are among these."""
        own = [place % self.images for place in self.dealt]
        return [view * self.images + place for view in range(self.views) for place in own]


_Key = tuple[list[int], Draw | None]  # the images of a batch, and its random choices


def derive_seed(*keys: int) -> int:
    """Return a 62-bit seed that depends on all `keys` and their order."""
    digest = hashlib.blake2b(repr(keys).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 2


class BatchReader:
    """Reads batches of one set of images, one pass after the other.

    Workers know nothing of epochs: the key of a batch holds all that it depends on. So they are
    started once, at the first pass, and serve all that follow.

    Args:
        images: what is read.
        workers: DataLoader workers, at most one per core; only used for images in files.
    """

    def __init__(self, images: ImageSet, workers: int) -> None:
        self.images, self.workers = images, min(workers, cores())  # torch warns of more
        self._keys = _Keys()
        self._loader: DataLoader[tuple[Tensor, int]] | None = None
        self._reading = False

    def read(
        self, batches: Sequence[Tensor], draws: Sequence[Draw | None]
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield uint8 images and labels of each batch, in order.

        Args:
            batches: the images of each, int64 (n,).
            draws: the random choices of each; none reads it as evaluation sees it.
        """
        if isinstance(self.images, MemoryImages):
            for batch in batches:
                where = batch.to(self.images.images.device)
                yield self.images.images[where], self.images.labels[where]
            return
        assert isinstance(self.images, FileImages)
        if self._reading:  # a second pass beside the first; workers serve one at a time
            yield from BatchReader(self.images, self.workers).read(batches, draws)
            return
        self._reading = True
        try:
            yield from self._decoded(self.images, batches, draws)
        except Exception:
            self.close()  # whatever state it is in
            raise
        finally:
            self._reading = False

    def _decoded(
        self, images: FileImages, batches: Sequence[Tensor], draws: Sequence[Draw | None]
    ) -> Iterator[tuple[Tensor, Tensor]]:
        self._keys.batches, self._keys.draws = batches, draws
        if self._loader is None:
            self._loader = DataLoader(
                _FileDataset(images),
                batch_sampler=self._keys,  # type: ignore[arg-type]
                num_workers=self.workers,
                persistent_workers=self.workers > 0,
                pin_memory=torch.cuda.is_available(),
                generator=torch.Generator(),  # else every pass would advance the global generator
            )
        yield from self._loader

    def close(self) -> None:
        """End the workers; a pass that comes later starts others."""
        self._loader = None


class _Keys:
    """The keys of the batches of one pass, made as they are asked for."""

    def __init__(self) -> None:
        self.batches: Sequence[Tensor] = ()
        self.draws: Sequence[Draw | None] = ()

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[_Key]:
        for batch, draw in zip(self.batches, self.draws, strict=True):
            yield batch.tolist(), draw


class _FileDataset(Dataset[tuple[Tensor, int]]):
    """Decodes the images of a batch, in a worker or in the process that trains."""

    def __init__(self, images: FileImages) -> None:
        self.images = images

    def __getitems__(self, key: _Key) -> list[tuple[Tensor, int]]:
        """Return the images and labels of a batch."""
        images, draw = key
        if draw is None:
            return [self._one(image, False) for image in images]
        found = []
        generator = torch.default_generator
        kept = generator.get_state()
        try:
            for image, place in zip(images, draw.places, strict=True):
                # An image is a function of its own seed, whichever worker decodes it. By place in
                # the batch, not by image: a re-sampled batch may hold an image several times.
                generator.manual_seed(derive_seed(draw.seed, place))
                found.append(self._one(image, True))
        finally:
            generator.set_state(kept)
        return found

    def _one(self, number: int, train: bool) -> tuple[Tensor, int]:
        image = self.images.read(self.images.paths[number], train)
        return image, int(self.images.labels[number])
