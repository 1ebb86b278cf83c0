"""The smallest long tail: two overlapping classes of 500 and 50 points, and a linear classifier."""

import torch
from torch import nn

COUNTS = (500, 50)
_STEPS = 200


def _points(counts, seed):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(2).repeat_interleave(torch.tensor(counts))
    points = torch.randn(len(labels), 2, generator=generator)
    return points + 1.5 * labels[:, None].float(), labels


def tail_accuracy(loss_class):
    """Return the accuracy on the rare class after training with a loss, in [0, 1]."""
    points, labels = _points(COUNTS, seed=0)
    loss, model = loss_class(torch.tensor(COUNTS)), nn.Linear(2, 2)
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
    for _ in range(_STEPS):
        optimizer.zero_grad()
        loss(model(points), labels).backward()
        optimizer.step()
    unseen, truth = _points((1000, 1000), seed=1)
    found = loss.predict_logits(model(unseen)).argmax(dim=1)
    return float((found == truth)[truth == 1].float().mean())
