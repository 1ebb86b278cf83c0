"""The losses on embeddings against slow loops from the equations, and hand-made values."""

import math

import pytest
import torch
from embeddings import CLASSES, ROWS, WIDTH, labels, unit

from lt_lightning.losses import (
    balanced_contrastive_loss,
    prototypical_contrastive_loss,
    supervised_contrastive_loss,
)


def dot(a, b, temperature):
    return sum(x * y for x, y in zip(a, b, strict=True)) / temperature


def slow_supervised(z, y, temperature):
    values = []
    for i in range(len(z)):
        positives = [j for j in range(len(z)) if j != i and y[j] == y[i]]
        if not positives:
            values.append(None)
            continue
        total = sum(math.exp(dot(z[i], z[k], temperature)) for k in range(len(z)) if k != i)
        logs = [dot(z[i], z[j], temperature) - math.log(total) for j in positives]
        values.append(-sum(logs) / len(logs))
    return values


def slow_prototypical(z, y, p, temperature):
    values = []
    for i in range(len(z)):
        own = math.exp(dot(z[i], p[y[i]], temperature))
        others = sum(math.exp(dot(z[i], p[j], temperature)) for j in range(len(p)) if j != y[i])
        values.append(-math.log(own / others))
    return values


def slow_balanced(z, y, p, temperature):
    keys, classes = z + p, y + list(range(len(p)))
    values = []
    for i in range(len(z)):
        total = 0.0
        for c in range(CLASSES):
            members = [k for k in range(len(keys)) if k != i and classes[k] == c]
            terms = [math.exp(dot(z[i], keys[k], temperature)) for k in members]
            total += sum(terms) / len(terms) if terms else 0.0
        positives = [j for j in range(len(keys)) if j != i and classes[j] == y[i]]
        logs = [dot(z[i], keys[j], temperature) - math.log(total) for j in positives]
        values.append(-sum(logs) / len(logs) if logs else None)
    return values


def check(found, has, expected):
    assert has.tolist() == [value is not None for value in expected]
    want = [0.0 if value is None else value for value in expected]
    assert found.tolist() == pytest.approx(want, abs=1e-12)


@pytest.mark.parametrize("temperature", [1.0, 0.1])
def test_supervised_is_the_double_loop(temperature):
    z, y = unit(ROWS), labels()
    expected = slow_supervised(z.tolist(), y.tolist(), temperature)
    assert expected.count(None) == 1
    check(*supervised_contrastive_loss(z, y, temperature=temperature), expected)
    two_views, both = torch.cat([z, unit(ROWS, seed=1)]), y.repeat(2)
    expected = slow_supervised(two_views.tolist(), both.tolist(), temperature)
    assert None not in expected
    check(*supervised_contrastive_loss(two_views, both, temperature=temperature), expected)


@pytest.mark.parametrize("temperature", [1.0, 0.1])
def test_prototypical_is_the_double_loop(temperature):
    z, y, p = unit(ROWS), labels(), unit(CLASSES, seed=2)
    expected = slow_prototypical(z.tolist(), y.tolist(), p.tolist(), temperature)
    found = prototypical_contrastive_loss(z, y, p, temperature=temperature)
    assert found.tolist() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("temperature", [1.0, 0.1])
@pytest.mark.parametrize("complement", [True, False])
def test_balanced_is_the_double_loop(temperature, complement):
    z, y, p = unit(ROWS), labels(), unit(CLASSES, seed=2)
    given = p if complement else None
    expected = slow_balanced(z.tolist(), y.tolist(), p.tolist() if complement else [], temperature)
    assert expected.count(None) == (0 if complement else 1)
    check(*balanced_contrastive_loss(z, y, given, temperature=temperature), expected)


def test_balanced_is_supervised_where_all_classes_are_alike():
    """Two views of one image per class: the own class has 1 other, each rival 2 in its mean."""
    z, y = unit(2 * CLASSES), torch.arange(CLASSES).repeat(2)
    s = z @ z.T / 0.1
    own = torch.arange(2 * CLASSES)
    other = (own + CLASSES) % (2 * CLASSES)
    positive = s[own, other].exp()
    rivals = s.exp().sum(1) - positive - s[own, own].exp()
    expected = -(positive / (positive + rivals / 2)).log()
    torch.testing.assert_close(balanced_contrastive_loss(z, y, temperature=0.1)[0], expected)


def test_hand_made_prototypical_loss_is_negative():
    p = torch.eye(3, WIDTH, dtype=torch.float64)
    value = prototypical_contrastive_loss(p[:1], torch.tensor([0]), p, temperature=0.5)
    assert float(value) == pytest.approx(-2 + math.log(2))
    worst = prototypical_contrastive_loss(p[:1], torch.tensor([1]), p, temperature=0.5)
    assert float(worst) == pytest.approx(math.log(math.exp(2) + 1))
    opposed = torch.cat([p[:1], -p[:1], -p[:1]])
    least = prototypical_contrastive_loss(p[:1], torch.tensor([0]), opposed, temperature=0.5)
    assert float(least) == pytest.approx(-2 / 0.5 + math.log(2))


def test_hand_made_supervised_loss():
    z = torch.eye(3, WIDTH, dtype=torch.float64)[[0, 0, 1]]
    values, has = supervised_contrastive_loss(z, torch.tensor([4, 4, 2]), temperature=1.0)
    alike = -math.log(math.e / (math.e + 1))
    assert values.tolist() == pytest.approx([alike, alike, 0])
    assert has.tolist() == [True, True, False]
