"""Batches of uint8 images: looked up in memory, or decoded by workers that outlive an epoch."""

import hashlib
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from lt_lightning.data.source import FileImages, ImageSet, MemoryImages
from lt_lightning.runs.environment import cores

_Key = tuple[list[int], int | None]  # the images of a batch, and its seed


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
        self, batches: Sequence[Tensor], seeds: Sequence[int | None]
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield uint8 images and labels of each batch, in order.

        Args:
            batches: the images of each, int64 (n,).
            seeds: of each batch; none reads it as evaluation sees it.
        """
        if isinstance(self.images, MemoryImages):
            for batch in batches:
                where = batch.to(self.images.images.device)
                yield self.images.images[where], self.images.labels[where]
            return
        assert isinstance(self.images, FileImages)
        if self._reading:  # a second pass beside the first; workers serve one at a time
            yield from BatchReader(self.images, self.workers).read(batches, seeds)
            return
        self._reading = True
        try:
            yield from self._decoded(self.images, batches, seeds)
        except Exception:
            self.close()  # whatever state it is in
            raise
        finally:
            self._reading = False

    def _decoded(
        self, images: FileImages, batches: Sequence[Tensor], seeds: Sequence[int | None]
    ) -> Iterator[tuple[Tensor, Tensor]]:
        self._keys.batches, self._keys.seeds = batches, seeds
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
        self.seeds: Sequence[int | None] = ()

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[_Key]:
        for batch, seed in zip(self.batches, self.seeds, strict=True):
            yield batch.tolist(), seed


class _FileDataset(Dataset[tuple[Tensor, int]]):
    """Decodes the images of a batch, in a worker or in the process that trains."""

    def __init__(self, images: FileImages) -> None:
        self.images = images

    def __getitems__(self, key: _Key) -> list[tuple[Tensor, int]]:
        """Return the images and labels of a batch."""
        places, seed = key
        if seed is None:
            return [self._one(place, False) for place in places]
        found = []
        generator = torch.default_generator
        kept = generator.get_state()
        try:
            for k, place in enumerate(places):
                # An image is a function of its own seed, whichever worker decodes it. By place in
                # the batch, not by image: a re-sampled batch may hold an image several times.
                generator.manual_seed(derive_seed(seed, k))
                found.append(self._one(place, True))
        finally:
            generator.set_state(kept)
        return found

    def _one(self, place: int, train: bool) -> tuple[Tensor, int]:
        image = self.images.read(self.images.paths[place], train)
        return image, int(self.images.labels[place])
