"""The batch of all processes, of which each has the images that the draw dealt to it.

Random choices belong to the places in that batch, so several processes make those of one.
"""

import torch
import torch.distributed as dist
from torch import Tensor

from lt_lightning.augment import Mixed, Mixing
from lt_lightning.inputs import ClassCounts
from lt_lightning.losses import gather
from lt_lightning.processes import dealt, own_rank, processes


@torch.no_grad()
def every_row(rows: Tensor) -> Tensor:
    """Return the rows of all processes, in the order of the processes, without a gradient."""
    if processes() == 1:
        return rows.detach()
    rows = rows.detach().contiguous()
    parts = [torch.empty_like(rows) for _ in range(processes())]
    dist.all_gather(parts, rows)
    return torch.cat(parts)


def whole_batch(rows: Tensor) -> Tensor:
    """Return the rows of all processes by their places, (R N, ...), with gradients where rows have.

    Every process must have equally many rows.
    """
    return by_place(gather(rows) if rows.requires_grad else every_row(rows))


def by_place(gathered: Tensor) -> Tensor:
    """Return rows that are in the order of the processes by their places in the batch of all."""
    count = len(gathered) // processes()
    return gathered.view(processes(), count, *gathered.shape[1:]).transpose(0, 1).flatten(0, 1)


def mix(
    mixing: Mixing,
    images: Tensor,
    targets: Tensor,
    class_counts: ClassCounts,
    generator: torch.Generator,
) -> Mixed:
    """Return the images of this process as they come out of a mix of the batch of all processes.

    Args:
        mixing: any.
        images: float (N, C, H, W), equally many on every process.
        targets: int64 (N,).
        class_counts: training images per class, (C,).
        generator: alike on all processes.
    """
    if processes() == 1:
        return mixing(images, targets, class_counts, generator)
    # All of it on every process: any mixing is served, whatever it draws and whichever part of a
    # partner it needs. The price is an exchange of the images.
    mixed = mixing(whole_batch(images), whole_batch(targets), class_counts, generator)
    places = torch.tensor(dealt(len(images), own_rank(), processes()), device=images.device)
    return mixed.part(places, whole_batch)
