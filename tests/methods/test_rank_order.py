"""The mean of gradients over processes does not depend on where DDP puts them."""

import threading
from types import SimpleNamespace

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from lt_lightning.engine.rank_order import add_in_order, average

WORLD = 3


class Exchange:
    """Three threads in the place of three processes."""

    def __init__(self):
        self.here = threading.local()
        self.barrier = threading.Barrier(WORLD, timeout=60)
        self.given = {}

    def swap(self, tensor):
        self.given[self.here.rank] = tensor.clone()
        self.barrier.wait()
        found = [self.given[rank] for rank in range(WORLD)]
        self.barrier.wait()
        return found

    def all_to_all_single(self, output, sent):
        for place, tensor in enumerate(self.swap(sent)):
            output[place] = tensor[self.here.rank]

    def all_gather_into_tensor(self, output, sent):
        output.copy_(torch.cat(self.swap(sent)))


@pytest.fixture
def averages(monkeypatch):
    """Return a function from the gradients of three processes to the mean that each gets."""
    exchange = Exchange()
    monkeypatch.setattr(dist, "get_world_size", lambda: WORLD)
    for name in ("all_to_all_single", "all_gather_into_tensor"):
        monkeypatch.setattr(dist, name, getattr(exchange, name))

    def get(gradients):
        found = {}

        def work(rank):
            exchange.here.rank = rank
            bucket = SimpleNamespace(buffer=lambda: gradients[rank])
            found[rank] = average(None, bucket).wait()

        threads = [threading.Thread(target=work, args=(rank,)) for rank in range(WORLD)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [found[rank] for rank in range(WORLD)]

    return get


@pytest.mark.parametrize("size", [1, 3, 100, 1001])
def test_each_place_is_added_in_the_order_of_the_processes(averages, size):
    """Trap: gloo begins each piece of a buffer at another process; a + b + c is not c + a + b."""
    gradients = [
        torch.randn(size, generator=torch.Generator().manual_seed(r)) for r in range(WORLD)
    ]
    a, b, c = (gradient / WORLD for gradient in gradients)
    for found in averages(gradients):
        assert torch.equal(found, a + b + c)
    if size > 100:
        assert not torch.equal(a + b + c, c + a + b)


def steps(module, first, last):
    """Train a network on random images under DDP, as begun anew in step `first`."""
    ddp = DistributedDataParallel(module)
    add_in_order(SimpleNamespace(model=ddp, root_device=torch.device("cpu")))
    optimizer = torch.optim.SGD(module.parameters(), 0.1)
    for step in range(first, last):
        generator = torch.Generator().manual_seed(100 * step + dist.get_rank())
        images = torch.rand(8, 3, 8, 8, generator=generator)
        optimizer.zero_grad()
        ddp(images).square().mean().backward()
        optimizer.step()
    return module


def network():
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 16, 3)]
    return nn.Sequential(*layers, nn.BatchNorm2d(16), nn.ReLU(), nn.Flatten(), nn.Linear(256, 10))


def work(rank, folder):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", f"file://{folder}/store", rank=rank, world_size=WORLD)
    whole = steps(network(), 0, 8)
    cut = steps(steps(network(), 0, 4), 4, 8)
    if rank == 0:
        torch.save([whole.state_dict(), cut.state_dict()], f"{folder}/found")
    dist.destroy_process_group()


@pytest.mark.distributed
def test_three_processes_that_go_on_end_with_the_same_bits(tmp_path, monkeypatch):
    """Trap: DDP lays its gradients out anew after its first step, in a run that goes on as well."""
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "lo")
    mp.start_processes(work, args=(str(tmp_path),), nprocs=WORLD, start_method="fork")
    whole, cut = torch.load(tmp_path / "found", weights_only=True)
    for name, value in whole.items():
        assert torch.equal(value, cut[name]), name
