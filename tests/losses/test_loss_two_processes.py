"""The loss of two processes has the gradient of their common batch."""

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn

from lt_lightning.losses import CrossEntropy, InverseFrequency

WORLD, COUNTS = 2, torch.tensor([90, 30, 10])
ROWS = {0: slice(0, 7), 1: slice(7, 11)}  # unequal batches, as at the end of an epoch


def batch():
    generator = torch.Generator().manual_seed(0)
    targets = torch.randint(3, (11,), generator=generator)
    return torch.randn(11, 5, generator=generator), targets, torch.rand(11, generator=generator)


def model():
    torch.manual_seed(1)
    return nn.Linear(5, 3)


def slopes(head, loss, rows, share):
    images, targets, shares = batch()
    value = loss(head(images[rows]), targets[rows], shares[rows] if share else None)
    value.backward()
    return torch.cat([p.grad.flatten() for p in head.parameters()]), value.detach()


def settings():
    for reduction in ("weighted_mean", "mean"):
        for share in (False, True):
            yield reduction, share


def work(rank, folder):
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=WORLD
    )
    results = []
    for reduction, share in settings():
        head = nn.parallel.DistributedDataParallel(model())
        loss = CrossEntropy(COUNTS, weights=InverseFrequency(), reduction=reduction)
        results.append(slopes(head, loss, ROWS[rank], share))
    with torch.no_grad():  # an evaluation loss waits for nobody
        images, targets, _ = batch()
        if rank == 0:
            loss(head(images), targets)
    torch.save(results, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


@pytest.mark.distributed
def test_two_processes_have_the_gradient_of_one(tmp_path):
    mp.spawn(work, args=(str(tmp_path),), nprocs=WORLD)
    saved = [torch.load(tmp_path / f"{rank}.pt") for rank in range(WORLD)]
    for i, (reduction, share) in enumerate(settings()):
        loss = CrossEntropy(COUNTS, weights=InverseFrequency(), reduction=reduction)
        expected, value = slopes(model(), loss, slice(0, 11), share)
        for rank in range(WORLD):
            torch.testing.assert_close(saved[rank][i][0], expected)
        mean = (saved[0][i][1] + saved[1][i][1]) / WORLD
        torch.testing.assert_close(mean, value)
