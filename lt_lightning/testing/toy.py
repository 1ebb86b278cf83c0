"""Small data in memory, for the contract of methods."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lt_lightning.backbones import ResNetCIFAR
from lt_lightning.data import AsIs, LongTailDataModule
from lt_lightning.data.source import ImageSet, MemoryImages, Source
from lt_lightning.samplers import InstanceBalanced

_COUNTS = (12, 9, 6, 4, 3)


class ToyImages(Source):
    """Five classes of noisy images of 16x16, each with a colour of its own, 12 to 3 per class."""

    def class_names(self, root: Path) -> list[str]:
        """Return numbers."""
        return [str(c) for c in range(len(_COUNTS))]

    def train_counts(self, root: Path) -> Tensor:
        """Return 12 to 3."""
        return torch.tensor(_COUNTS)

    def has_validation(self, root: Path) -> bool:
        """Return that there is a held-out split."""
        return True

    def load(self, root: Path) -> dict[str, ImageSet]:
        """Return the splits, the same each time."""
        counts = {"train": list(_COUNTS), "val": [4] * 5, "test": [4] * 5}
        return {split: _images(n, seed) for seed, (split, n) in enumerate(counts.items())}


def _images(counts: list[int], seed: int) -> MemoryImages:
    labels = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randint(120, (len(labels), 3, 16, 16), generator=generator, dtype=torch.uint8)
    colours = torch.tensor([[120, 0, 0], [0, 120, 0], [0, 0, 120], [120, 120, 0], [0, 0, 0]])
    return MemoryImages(labels, noise + colours.to(torch.uint8)[labels][:, :, None, None])


def toy_data(streams: tuple[str, ...] = (), **options: Any) -> LongTailDataModule:
    """Return data of `ToyImages` in batches of 8.

    Args:
        streams: the names of the samplers that the method needs; empty is one stream.
        options: of `LongTailDataModule`.
    """
    settings: dict[str, Any] = {
        "source": ToyImages(),
        "profile": AsIs(),
        "batch_size": 8,
        "samplers": {name: InstanceBalanced() for name in streams} or None,
        "augment": None,
        "workers": 0,
        **options,
    }
    return LongTailDataModule(**settings)


def toy_backbone() -> ResNetCIFAR:
    """Return a network of few weights."""
    return ResNetCIFAR(depth=8, width=4)
