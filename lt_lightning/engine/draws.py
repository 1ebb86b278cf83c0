"""The seed of a run, and the random choices of one step."""

import os

import torch

from lt_lightning.data.reader import derive_seed
from lt_lightning.stages import Stage


def run_seed() -> int:
    """Return the seed of the run."""
    return int(os.environ.get("PL_GLOBAL_SEED", "0"))  # where Lightning keeps it


def step_generator(
    stage: Stage, epoch: int, batch_idx: int, rank: int, device: torch.device
) -> torch.Generator:
    """Return a generator that depends on the run's seed, the stage, and where in it a step is.

    Args:
        stage: of the epoch.
        epoch: of the run, 0-based.
        batch_idx: of the step, in the epoch.
        rank: of the process.
        device: of the numbers.
    """
    keys = (run_seed(), epoch - stage.first_epoch, batch_idx, rank)
    later = (stage.number,) if stage.number > 1 else ()
    return torch.Generator(device).manual_seed(derive_seed(*keys, *later))
