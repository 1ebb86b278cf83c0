"""The loss: its contract, its equation, and that it helps the rare class."""

import math

import torch
from my_method import PartlyBalancedSoftmax
from torch import nn

from lt_lightning.losses import CrossEntropy
from lt_lightning.testing import check_loss

COUNTS = (500, 50)


def test_contract():
    check_loss(PartlyBalancedSoftmax)


def test_equation():
    logits, targets, tau = torch.randn(5, 3), [0, 2, 1, 2, 0], 0.5
    counts, wanted = [90, 9, 1], []
    for row, target in zip(logits.tolist(), targets, strict=True):
        lifted = [z + tau * math.log(n) for z, n in zip(row, counts, strict=True)]
        wanted.append(math.log(sum(map(math.exp, lifted))) - lifted[target])
    loss = PartlyBalancedSoftmax(counts, tau=tau)
    value = loss(logits, torch.tensor(targets))
    assert math.isclose(float(value), sum(wanted) / 5, rel_tol=1e-5)


def points(counts, seed):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(2).repeat_interleave(torch.tensor(counts))
    return torch.randn(len(labels), 2, generator=generator) + 1.5 * labels[:, None], labels


def tail_accuracy(loss):
    """Return the accuracy on the rare class of two that overlap, of a linear classifier."""
    (x, y), model = points(COUNTS, seed=0), nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
    for _ in range(200):
        optimizer.zero_grad()
        loss(model(x), y).backward()
        optimizer.step()
    unseen, truth = points((1000, 1000), seed=1)
    return float((model(unseen).argmax(dim=1) == truth)[truth == 1].float().mean())


def test_it_is_a_remedy():
    plain = tail_accuracy(CrossEntropy(COUNTS))
    assert tail_accuracy(PartlyBalancedSoftmax(COUNTS)) > plain + 0.1
