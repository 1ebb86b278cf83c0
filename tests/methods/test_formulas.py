"""The formulas of methods as functions, against slow loops and against the methods."""

import pytest
import torch
from torch import nn

from lt_lightning.backbones import ResNetCIFAR, shift_batch_norm, shifted_statistics
from lt_lightning.engine.moving_feature import MovingFeature
from lt_lightning.heads import (
    CausalNormHead,
    LinearHead,
    causal_cosines,
    causal_logits,
    moved_feature,
    total_direct_effect,
)
from lt_lightning.losses import CrossEntropy, bilateral_logits, bilateral_loss

N, D, C, K = 3, 4, 5, 2


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_bilateral_logits_and_loss(alpha):
    head, f_c, f_r = LinearHead(2 * D, C), torch.randn(N, D), torch.randn(N, D)
    logits = bilateral_logits(head, f_c, f_r, alpha)
    weight, bias = head.weight.tolist(), head.bias.tolist()
    for n in range(N):
        mixed = [alpha * v for v in f_c[n].tolist()] + [(1 - alpha) * v for v in f_r[n].tolist()]
        for c in range(C):
            want = 2 * sum(a * b for a, b in zip(mixed, weight[c], strict=True)) + bias[c]
            assert logits[n, c].item() == pytest.approx(want, abs=1e-5)
    loss = CrossEntropy([9, 5, 3, 2, 1])
    y_c, y_r = torch.tensor([0, 1, 2]), torch.tensor([4, 3, 0])
    total = bilateral_loss(loss(logits, y_c), loss(logits, y_r), alpha)
    log_p = logits.log_softmax(1)
    want = -sum(alpha * log_p[n, y_c[n]] + (1 - alpha) * log_p[n, y_r[n]] for n in range(N)) / N
    torch.testing.assert_close(total, want)


def test_at_one_half_the_logits_are_those_of_evaluation():
    head, f_c, f_r = LinearHead(2 * D, C), torch.randn(N, D), torch.randn(N, D)
    torch.testing.assert_close(bilateral_logits(head, f_c, f_r), head(torch.cat([f_c, f_r], 1)))


def parts(row):
    return [row[k * D // K : (k + 1) * D // K] for k in range(K)]


def unit(row, gamma=0.0):
    length = sum(v * v for v in row) ** 0.5 + gamma
    return [v / length for v in row]


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("alpha", [0.0, 1.5])
def test_total_direct_effect_is_the_equation(alpha):
    x, w, c = (torch.randn(*shape).double() for shape in ((N, D), (C, D), (D,)))
    got = total_direct_effect(x, w, c, alpha, num_heads=K, scale=16.0, gamma=0.03125)
    common = [unit(part) for part in parts(c.tolist())]
    for n in range(N):
        for j in range(C):
            want = 0.0
            for k in range(K):
                own, row = unit(parts(x[n].tolist())[k]), unit(parts(w[j].tolist())[k], 0.03125)
                cosine = dot(own, common[k])
                moved = [a - alpha * cosine * b for a, b in zip(own, common[k], strict=True)]
                want += 16.0 / K * dot(moved, row)
            assert got[n, j].item() == pytest.approx(want, rel=1e-6, abs=1e-9)
    if alpha == 0:
        torch.testing.assert_close(causal_logits(x, w, num_heads=K), got)


def test_the_head_of_causal_training_uses_the_same_formulas():
    head, x, c = CausalNormHead(D, C, num_heads=K, scale=4.0), torch.randn(N, D), torch.randn(D)
    settings = {"num_heads": K, "scale": 4.0}
    assert torch.equal(head(x), causal_logits(x, head.weight, **settings))
    want = total_direct_effect(x, head.weight, c, 0.7, **settings)
    assert torch.equal(head.direct_effect(x, c, 0.7), want)
    assert torch.equal(head.cosines(x, c), causal_cosines(x, c, num_heads=K))


def test_moved_feature_is_that_of_causal_training():
    moving, value = MovingFeature(D), torch.zeros(D)
    for _ in range(3):
        features = torch.randn(N, D)
        moving.add(features, torch.zeros(N, K))
        moving.step(0.8)
        value = moved_feature(value, features, momentum=0.8)
        torch.testing.assert_close(moving.value, value)


@pytest.mark.parametrize("shape", [(6, 3), (6, 3, 2, 2)])
def test_shifted_statistics_are_those_of_pytorch(shape):
    layer = nn.BatchNorm1d(3) if len(shape) == 2 else nn.BatchNorm2d(3)
    mean, variance = layer.running_mean.clone(), layer.running_var.clone()
    for _ in range(2):
        batch = 3 + 2 * torch.randn(*shape)
        layer(batch)
        mean, variance = shifted_statistics(mean, variance, batch)
    torch.testing.assert_close((mean, variance), (layer.running_mean, layer.running_var))


def test_shifting_moves_the_statistics_and_nothing_else():
    network = ResNetCIFAR(depth=8, width=4).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    shift_batch_norm(network, [torch.randn(4, 3, 16, 16) for _ in range(2)])
    changed = {n for n, value in network.state_dict().items() if not torch.equal(value, before[n])}
    assert changed == {n for n in before if "running" in n or "num_batches" in n}
    assert network.training
