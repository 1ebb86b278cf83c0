"""How many processes train together, and which one this is."""

import torch.distributed as dist


def _together() -> bool:
    return dist.is_available() and dist.is_initialized()


def processes() -> int:
    """Return how many there are, R."""
    return dist.get_world_size() if _together() else 1


def own_rank() -> int:
    """Return the number of this one, from 0 on."""
    return dist.get_rank() if _together() else 0


def dealt(count: int, rank: int, together: int) -> range:
    """Return where the `count` images of process r of R are in the batch of all: r, r + R, ..."""
    return range(rank, rank + count * together, together)
