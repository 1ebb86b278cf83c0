"""The seed of a run, and the random choices of one step."""

import os

import torch

from lt_lightning.augment import placed_generator
from lt_lightning.data.reader import derive_seed
from lt_lightning.processes import dealt, own_rank, processes
from lt_lightning.stages import Stage


def run_seed() -> int:
    """Return the seed of the run."""
    return int(os.environ.get("PL_GLOBAL_SEED", "0"))  # where Lightning keeps it


def step_generator(
    stage: Stage, epoch: int, batch_idx: int, device: torch.device, images: int | None = None
) -> torch.Generator:
    """Return a generator that depends on the run's seed, the stage, and where in it a step is.

    Args:
        stage: of the epoch.
        epoch: of the run, 0-based.
        batch_idx: of the step, in the epoch.
        device: of the numbers.
        images: that this process has in the batch, where each has a choice of its own; none is a
            generator that is alike on all processes.
    """
    # The 0 was the process once: without it one process would draw other numbers than before.
    keys = (run_seed(), epoch - stage.first_epoch, batch_idx, 0)
    later = (stage.number,) if stage.number > 1 else ()
    seed = derive_seed(*keys, *later)
    if images is None:
        return torch.Generator(device).manual_seed(seed)
    places = dealt(images, own_rank(), processes())
    return placed_generator(seed, device, places, images * processes())
