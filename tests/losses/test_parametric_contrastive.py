"""PaCo's loss against a double loop, and at its limits."""

import math

import pytest
import torch
import torch.nn.functional as F

from lt_lightning.losses import parametric_contrastive_loss

CLASSES, ROWS, KEYS, WIDTH = 4, 7, 9, 5


@pytest.fixture
def batch():
    """Logits, queries, labels, keys, labels of keys; two keys are not there."""
    g = torch.Generator().manual_seed(0)
    rows = F.normalize(torch.randn(ROWS + KEYS, WIDTH, generator=g, dtype=torch.float64), dim=1)
    logits = torch.randn(ROWS, CLASSES, generator=g, dtype=torch.float64) * 3
    targets = torch.tensor([0, 0, 1, 0, 2, 1, 3])  # class 3 has neither another query nor a key
    key_labels = torch.tensor([0, 1, -1, 2, 0, 0, 1, -1, 2])
    return logits, rows[:ROWS], targets, rows[ROWS:], key_labels


def slow(logits, queries, targets, keys, key_labels, beta, alpha, temperature):
    samples, labels = [*queries.tolist(), *keys.tolist()], [*targets.tolist(), *key_labels.tolist()]
    values = []
    for i, (row, y) in enumerate(zip(logits.tolist(), targets.tolist(), strict=True)):
        others = [j for j in range(len(samples)) if j != i and labels[j] >= 0]
        at = {
            j: sum(a * b for a, b in zip(samples[i], samples[j], strict=True)) / temperature
            for j in others
        }
        total = sum(map(math.exp, row)) + sum(math.exp(value) for value in at.values())
        logs, weight = beta * (row[y] - math.log(total)), beta
        for j in others:
            if labels[j] == y:
                logs += alpha * (at[j] - math.log(total))
                weight += alpha
        values.append(-logs / weight)
    return values


@pytest.mark.parametrize("temperature", [1.0, 0.05])
@pytest.mark.parametrize(("beta", "alpha"), [(1.0, 0.02), (0.5, 1.0), (1.0, 0.0)])
def test_it_is_the_double_loop(batch, beta, alpha, temperature):
    found = parametric_contrastive_loss(
        *batch, center_weight=beta, sample_weight=alpha, temperature=temperature
    )
    assert found.tolist() == pytest.approx(slow(*batch, beta, alpha, temperature), rel=1e-9)


def test_without_samples_it_is_cross_entropy(batch):
    logits, queries, targets, keys, _ = batch
    found = parametric_contrastive_loss(
        logits[:1], queries[:1], targets[:1], keys, torch.full((KEYS,), -1)
    )
    assert float(found) == pytest.approx(float(F.cross_entropy(logits[:1], targets[:1])))


def test_what_is_not_there_has_no_gradient(batch):
    logits, queries, targets, keys, key_labels = batch
    keys = keys.clone().requires_grad_()
    queries = queries.clone().requires_grad_()
    parametric_contrastive_loss(logits, queries, targets, keys, key_labels).sum().backward()
    assert (keys.grad[key_labels < 0] == 0).all()
    assert (keys.grad[key_labels >= 0].abs().sum(dim=1) > 0).all()
    assert queries.grad.isfinite().all()


def test_extreme_logits_stay_finite(batch):
    logits, queries, targets, keys, key_labels = batch
    big = (logits * 1e4).float().requires_grad_()
    found = parametric_contrastive_loss(
        big, queries.float(), targets, keys.float(), key_labels, temperature=0.001
    )
    found.sum().backward()
    assert found.isfinite().all()
    assert big.grad.isfinite().all()
