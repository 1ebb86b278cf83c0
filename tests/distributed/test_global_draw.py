"""R processes together draw what one process draws, through torch and through Lightning."""

import os
import socket

import lightning as L
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from lt_lightning import samplers
from lt_lightning.data import Digits, Exponential, LongTailDataModule
from lt_lightning.samplers import ClassRule, EpochSampler, InstanceBalanced, Reversed, SamplingRule

RULES = [
    rule
    for rule in (getattr(samplers, name) for name in samplers.__all__)
    if isinstance(rule, type)
    and issubclass(rule, SamplingRule)
    and rule not in (SamplingRule, ClassRule)
]
LABELS = torch.tensor([0] * 61 + [1] * 23 + [2] * 9 + [3] * 2)
EPOCHS = 3


def draws(rule):
    """Return what this process draws in each epoch; torch tells it which one it is."""
    sampler = EpochSampler(rule(), LABELS, seed=5, max_epochs=EPOCHS)
    found = []
    for epoch in range(EPOCHS):
        sampler.set_epoch(epoch)
        found.append(list(sampler))
    return found


class Recorder(L.LightningModule):
    """Notes the images of each step."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.seen = []

    def training_step(self, batch, batch_idx):
        streams = batch if isinstance(batch, dict) else {"": batch}
        # Whatever the order of the images within a step, and whichever process has them.
        sums = {name: x.double().flatten(1).sum(1).tolist() for name, (x, _) in streams.items()}
        self.seen.append((self.current_epoch, sums))
        return self.weight.sum()

    def validation_step(self, batch, batch_idx):
        raise AssertionError("there is nothing to validate on")

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def fit(folder, world):
    """Return the images of each step of this process in a run of two streams."""
    data = LongTailDataModule(
        source=Digits(size=8),
        profile=Exponential(imbalance_ratio=20),
        batch_size=30,
        augment=None,
        samplers={"uniform": InstanceBalanced(), "reversed": Reversed()},
        seed=3,
    )
    module = Recorder()
    trainer = L.Trainer(
        accelerator="cpu",
        devices=world,
        strategy="auto" if world == 1 else "ddp",
        max_epochs=2,
        limit_val_batches=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
    )
    trainer.fit(module, datamodule=data)
    return module.seen


def work(rank, world, folder, port):
    os.environ.update(
        MASTER_ADDR="127.0.0.1",
        MASTER_PORT=str(port),
        LOCAL_RANK=str(rank),
        GLOO_SOCKET_IFNAME="lo",
    )
    torch.set_num_threads(1)
    seen = fit(folder, world)
    assert dist.get_world_size() == world
    torch.save((seen, {rule.__name__: draws(rule) for rule in RULES}), f"{folder}/{rank}.pt")


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.mark.distributed
@pytest.mark.parametrize("world", [2, 3])
def test_every_rule_draws_the_same_on_any_number_of_processes(world, tmp_path):
    """Trap: Lightning wraps other samplers in one that shuffles, and each process draws alone."""
    mp.spawn(work, args=(world, str(tmp_path), free_port()), nprocs=world)
    parts = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(world)]
    for rule in RULES:
        for epoch, whole in enumerate(draws(rule)):
            dealt = zip(*(drawn[rule.__name__][epoch] for _, drawn in parts), strict=True)
            together = [image for turn in dealt for image in turn]
            padding = -len(whole) % world
            assert together == whole + whole[:padding], (rule.__name__, epoch)
    steps = fit(tmp_path, 1)
    assert len(steps) == len(parts[0][0]) > 20
    for number, (epoch, streams) in enumerate(steps[:-1]):
        for name, images in streams.items():
            at_once = [seen[number] for seen, _ in parts]
            assert {found[0] for found in at_once} == {epoch}
            together = sorted(image for _, found in at_once for image in found[name])
            if len(images) == 30:  # the last batch of an epoch is filled up
                assert together == sorted(images), (number, name)


def test_every_rule_is_tried():
    assert len(RULES) >= 11
    assert {InstanceBalanced, Reversed} <= set(RULES)
