"""Which images are made from which, and the making of them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from lt_lightning.cam.foreground import foregrounds
from lt_lightning.cam.moves import Moves, draw_moves, paste_moved
from lt_lightning.inputs import check_seed
from lt_lightning.samplers import ClassIndex

Fetch = Callable[[Tensor], Iterable[Tensor]]  # indices of images -> batches of uint8 (M, C, H, W)


@dataclass(frozen=True)
class Plan:
    """M images to be made, sorted by class.

    Attributes:
        labels: int64 (M,).
        sources: int64 (M,), the training image that each is made from.
        moves: how.
    """

    labels: Tensor
    sources: Tensor
    moves: Moves

    def part(self, where: Tensor) -> "Plan":
        """Return some of the images."""
        return Plan(self.labels[where], self.sources[where], self.moves.part(where))


def plan_images(labels: Tensor, num_classes: int, per_class: int | None, seed: int) -> Plan:
    """Draw for each new image the one it is made from, and its move.

    Each source is a random image of the class, with replacement.

    Paper: Zhang et al., Bag of Tricks, AAAI 2021.

    Differs from the authors' code in the number of images: theirs adds as many more to each class
    as the smallest one has, to the largest too.

    Args:
        labels: int64 (N,), of the training images.
        num_classes: C.
        per_class: images that each class is to have, old and new; a class that has as many gets
            none. None is as many as the largest has.
        seed: of the draws.

    Raises:
        UserError: if the seed is out of range.
    """
    index = ClassIndex(labels, num_classes)
    wanted = int(index.counts.max()) if per_class is None else per_class
    missing = (wanted - index.counts).clamp_min(0)
    new = torch.repeat_interleave(torch.arange(num_classes), missing)
    generator = torch.Generator().manual_seed(check_seed("--seed", seed))
    place = torch.rand(len(new), generator=generator, dtype=torch.float64)
    sources = index.order[index.start[new] + (place * index.counts[new]).to(torch.int64)]
    return Plan(new, sources, draw_moves(len(new), generator))


def generate(plan: Plan, maps: Tensor, fetch: Fetch, threshold: float) -> Iterator[Tensor]:
    """Yield the new images in order, in batches of uint8 (M, C, H, W).

    Args:
        plan: what is to be made.
        maps: float32 (M, h, w), the map of the source of each.
        fetch: gives the sources, in order, as evaluation sees them.
        threshold: of the foreground, see `foregrounds`.
    """
    start = 0
    for images in fetch(plan.sources):
        where = slice(start, start + len(images))
        size = (images.shape[2], images.shape[3])
        found = foregrounds(maps[where].to(images.device), size, threshold)
        yield paste_moved(images, found, plan.moves.part(where).to(images.device))
        start += len(images)
