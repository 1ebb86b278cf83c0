"""A loop in plain PyTorch with parts of the package and no Trainer."""

import torch
from torch.utils.data import DataLoader, TensorDataset

from lt_lightning.augment import Remix
from lt_lightning.heads import CosineHead
from lt_lightning.losses import LDAM, EffectiveNumber
from lt_lightning.metrics import ClassStats, ShotGroups
from lt_lightning.samplers import ClassBalanced

COUNTS = [60, 12, 4]


def test_loss_sampler_head_mixing_and_metric_work_together():
    torch.manual_seed(0)
    labels = torch.arange(3).repeat_interleave(torch.tensor(COUNTS))
    images = torch.randn(3, 3, 4, 4)[labels] + 0.5 * torch.randn(len(labels), 3, 4, 4)
    sampler = ClassBalanced().sampler(labels.numpy(), seed=1)
    loader = DataLoader(TensorDataset(images, labels), batch_size=16, sampler=sampler)
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48, 8), CosineHead(8, 3))
    loss = LDAM(COUNTS, weights=EffectiveNumber(0.99))
    optimizer, mix = torch.optim.SGD(network.parameters(), lr=0.1), Remix()
    values = []
    for epoch in range(15):
        sampler.set_epoch(epoch)
        for batch, targets in loader:
            mixed = mix(batch, targets, COUNTS)
            logits = network(mixed.images)
            first, second = mixed.targets_a, mixed.targets_b
            value = loss(logits, first, mixed.share) + loss(logits, second, 1 - mixed.share)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            values.append(value.item())
    assert sum(values[-5:]) < sum(values[:5])
    stats = ClassStats(3, groups=ShotGroups(many_above=50, few_below=10)(COUNTS))
    with torch.no_grad():
        stats.update(network(images), labels)
    assert stats.compute()["acc_macro"] > 0.8


def test_each_image_may_have_its_own_value():
    loss = LDAM(COUNTS, reduction="none")
    values = loss(30 * torch.rand(5, 3), torch.tensor([0, 1, 2, 0, 1]))
    assert values.shape == (5,)
