"""The moving feature of two processes is that of one process on their common batch."""

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from lt_lightning.engine.moving_feature import MovingFeature
from lt_lightning.heads import CausalNormHead

WORLD, STEPS = 2, 4
ROWS = {0: slice(0, 7), 1: slice(7, 11)}  # unequal batches, as at the end of an epoch


def moved(rows):
    torch.manual_seed(1)
    head, moving = CausalNormHead(6, 3), MovingFeature(6)
    generator = torch.Generator().manual_seed(0)
    for _ in range(STEPS):
        features = torch.rand(11, 6, generator=generator)[rows]
        moving.add(features, head.cosines(features, moving.value))
        moving.step(0.9)
    return moving.value, moving.alpha()


def work(rank, folder):
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=WORLD
    )
    torch.save(moved(ROWS[rank]), f"{folder}/{rank}.pt")
    dist.destroy_process_group()


@pytest.mark.distributed
def test_two_processes_move_it_as_one(tmp_path):
    mp.spawn(work, args=(str(tmp_path),), nprocs=WORLD)
    value, alpha = moved(slice(0, 11))
    assert float(alpha) > 1
    found = [torch.load(tmp_path / f"{rank}.pt") for rank in range(WORLD)]
    for one, its_alpha in found:
        torch.testing.assert_close(one, value)
        torch.testing.assert_close(its_alpha, alpha)
    assert torch.equal(found[0][0], found[1][0])
