"""The normalised classifier of several heads against slow loops."""

import math

import pytest
import torch

from lt_lightning.errors import UserError
from lt_lightning.heads import CausalNormHead

SCALE, GAMMA, ALPHA = 16.0, 0.25, 1.5


def _head(heads=2, width=6, classes=3):
    torch.manual_seed(0)
    return CausalNormHead(width, classes, num_heads=heads, scale=SCALE, gamma=GAMMA).double()


def _cut(row, heads):
    size = len(row) // heads
    return [row[k * size : (k + 1) * size] for k in range(heads)]


def _unit(part):
    length = math.hypot(*part)
    return [value / length for value in part]


def _slow(features, weight, moving, heads, alpha):
    """z = (s / K) sum_k (x^_k - alpha cos_k c^_k) w^_k^T, one number at a time."""
    out = []
    for feature in features:
        row = []
        for weights in weight:
            total = 0.0
            parts = zip(*(_cut(v, heads) for v in (feature, weights, moving)), strict=True)
            for x, w, c in parts:
                x, c = _unit(x), _unit(c)
                w = [value / (math.hypot(*w) + GAMMA) for value in w]
                cosine = sum(a * b for a, b in zip(x, c, strict=True))
                left = [a - alpha * cosine * b for a, b in zip(x, c, strict=True)]
                total += sum(a * b for a, b in zip(left, w, strict=True))
            row.append(SCALE / heads * total)
        out.append(row)
    return torch.tensor(out, dtype=torch.float64)


@pytest.mark.parametrize("heads", [1, 2, 3])
def test_logits_and_direct_effect_are_those_of_the_equation(heads):
    head = _head(heads)
    features, moving = 5 * torch.randn(4, 6).double(), torch.randn(6).double()
    values = features.tolist(), head.weight.tolist(), moving.tolist(), heads
    torch.testing.assert_close(head(features), _slow(*values, alpha=0))
    found = head.direct_effect(features, moving, ALPHA)
    torch.testing.assert_close(found, _slow(*values, alpha=ALPHA))


def test_one_head_by_hand():
    head = CausalNormHead(2, 2, num_heads=1, scale=10.0, gamma=1.0)
    with torch.no_grad():
        head.weight.copy_(torch.tensor([[0.0, 4.0], [1.0, 0.0]]))
    features, moving = torch.tensor([[3.0, 4.0]]), torch.tensor([0.0, 7.0])
    # x^ = (.6, .8), w^ = (0, .8) and (.5, 0); c^ = (0, 1), cos .8
    torch.testing.assert_close(head(features), torch.tensor([[6.4, 3.0]]))
    half = head.direct_effect(features, moving, 0.5)
    torch.testing.assert_close(half, torch.tensor([[3.2, 3.0]]))
    torch.testing.assert_close(head.cosines(features, moving), torch.tensor([[0.8]]))


def test_alpha_zero_and_no_moving_feature_give_the_logits_of_training():
    head, features = _head(), torch.randn(5, 6).double()
    assert torch.equal(head.direct_effect(features, torch.randn(6).double(), 0.0), head(features))
    assert torch.equal(head.direct_effect(features, torch.zeros(6).double(), 9.0), head(features))


def test_length_of_features_and_moving_feature_does_not_matter_in_any_head():
    head, features, moving = _head(), torch.randn(5, 6).double(), torch.randn(6).double()
    stretch = torch.tensor([7.0, 7.0, 7.0, 0.1, 0.1, 0.1]).double()
    want = head.direct_effect(features, moving, ALPHA)
    torch.testing.assert_close(head.direct_effect(features * stretch, moving, ALPHA), want)
    torch.testing.assert_close(head.direct_effect(features, moving * stretch, ALPHA), want)


def test_dead_head_gives_finite_logits_and_gradients():
    head = _head().float()
    features = torch.cat([torch.zeros(2, 3), torch.rand(2, 3)], dim=1).requires_grad_()
    moving = torch.tensor([0.0, 0.0, 0.0, 1.0, 2.0, 3.0])
    logits = head.direct_effect(features, moving, ALPHA)
    logits.sum().backward()
    for found in (logits, features.grad, head.weight.grad):
        assert found.isfinite().all()
    whole = torch.rand(2, 6)
    assert head.direct_effect(whole, moving, ALPHA).isfinite().all()
    assert head(torch.zeros(2, 6)).eq(0).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_narrow_features_are_compared_in_float32(dtype):
    head, features = CausalNormHead(64, 5), torch.randn(4, 64).to(dtype)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = head.direct_effect(features, torch.ones(64), 1.0)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, head.direct_effect(features.float(), torch.ones(64), 1.0))


def test_weights_start_as_those_of_the_authors():
    torch.manual_seed(0)
    weight = CausalNormHead(64, 500).weight.detach()
    assert weight.abs().max() <= 1 / 8
    assert float(weight.std()) == pytest.approx(1 / 8 / math.sqrt(3), rel=0.02)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"num_heads": 4}, "num_heads is 4 but the features have 6 numbers"),
        ({"num_heads": 0}, "num_heads is 0"),
        ({"scale": 0.0}, r"causal head is 0\.0"),
        ({"gamma": -0.5}, r"gamma is -0\.5"),
    ],
)
def test_bad_number_is_refused(options, sentence):
    with pytest.raises(UserError, match=sentence):
        CausalNormHead(6, 3, **options)
