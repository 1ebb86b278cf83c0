"""A contrastive loss on two processes has the value and the gradient of the common batch."""

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn.functional as F
from torch import nn

from lt_lightning.losses import BalancedContrastive, PrototypicalContrastive, SupervisedContrastive

WORLD, ROWS, COUNTS = 2, 10, torch.tensor([90, 30, 10])
NAMES = ("sc", "psc", "moving psc", "bcl")


class Network(nn.Module):
    """A linear embedding and its loss, as DDP wraps a method."""

    def __init__(self, name):
        super().__init__()
        torch.manual_seed(1)
        self.layer = nn.Linear(5, 4)
        self.centres = nn.Parameter(torch.randn(3, 4), requires_grad=name == "bcl")
        kind = {"sc": SupervisedContrastive, "bcl": BalancedContrastive}
        more = {"prototypes": "moving"} if name == "moving psc" else {}
        self.loss = kind.get(name, PrototypicalContrastive)(COUNTS, 4, temperature=0.2, **more)

    def forward(self, images, targets):
        z = F.normalize(self.layer(images), dim=1)
        if self.loss.takes_prototypes:
            return self.loss(z, targets, F.normalize(self.centres, dim=1))
        return self.loss(z, targets)


def batch():
    generator = torch.Generator().manual_seed(0)
    targets = torch.tensor([0, 0, 0, 1, 0, 0, 1, 0, 0, 2])  # class 1 meets itself across processes
    return torch.randn(ROWS, 5, generator=generator), targets


def step(network, rows):
    """Return value, gradients and buffers after two steps of one batch."""
    images, targets = batch()
    network(images[rows], targets[rows])
    loss, dropped = network(images[rows], targets[rows])
    loss.backward()
    inner = getattr(network, "module", network)
    slopes = [p.grad.flatten() for p in inner.parameters() if p.requires_grad]
    buffers = [buffer.float().flatten() for buffer in inner.buffers()]
    return loss.detach(), dropped, torch.cat(slopes), torch.cat([torch.zeros(1), *buffers])


def work(rank, folder):
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=WORLD
    )
    found = []
    for name in NAMES:
        network = nn.parallel.DistributedDataParallel(Network(name), broadcast_buffers=False)
        found.append(step(network, slice(rank, None, WORLD)))
    with torch.no_grad():  # where no gradients are recorded, a process waits for nobody
        images, targets = batch()
        if rank == 0:
            Network("sc")(images, targets)
    torch.save(found, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


@pytest.mark.distributed
def test_two_processes_have_value_and_gradient_of_one(tmp_path):
    mp.spawn(work, args=(str(tmp_path),), nprocs=WORLD)
    saved = [torch.load(tmp_path / f"{rank}.pt") for rank in range(WORLD)]
    for i, name in enumerate(NAMES):
        expected = step(Network(name), slice(None))
        for rank in range(WORLD):
            for have, want in zip(saved[rank][i], expected, strict=True):
                torch.testing.assert_close(have, want, msg=lambda text, n=name: f"{n}: {text}")
    assert float(saved[0][NAMES.index("sc")][1]) == pytest.approx(0.1)  # class 2 is alone
