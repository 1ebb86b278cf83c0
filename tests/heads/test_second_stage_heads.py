"""Heads that stand on a trained one: scaled, calibrated, tau-normalised, nearest mean."""

import math

import pytest
import torch
from torch import nn

from lt_lightning.errors import UserError
from lt_lightning.heads import (
    CalibratedHead,
    CosineHead,
    LinearHead,
    NearestMeanHead,
    ScaledHead,
    TauNormHead,
    scaled_logits,
)

D, C, N = 4, 3, 5


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.fixture
def x():
    return torch.randn(N, D)


@pytest.fixture
def inner():
    return LinearHead(D, C)


def sigmoid(value):
    return 1 / (1 + math.exp(-value))


def test_scaled_head_is_the_first_one_at_the_start(x, inner):
    assert torch.equal(ScaledHead(inner, C, frozen=True)(x), inner(x))


def test_scaled_head_multiplies_the_whole_logit_of_each_class(x, inner):
    head = ScaledHead(inner, C, frozen=False)
    factors = [0.5, 2.0, -1.0]
    with torch.no_grad():
        head.scales.copy_(torch.tensor(factors))
        found, first = head(x), inner(x)
    for c, factor in enumerate(factors):
        assert torch.equal(found[:, c], factor * first[:, c])


@pytest.mark.parametrize("frozen", [True, False])
def test_scaled_head_trains_the_first_one_unless_it_is_frozen(x, inner, frozen):
    head = ScaledHead(inner, C, frozen=frozen)
    head(x).sum().backward()
    assert head.scales.grad is not None
    assert (inner.weight.grad is None) == frozen


@pytest.mark.parametrize("form", ["residual", "convex"])
def test_calibrated_head_is_the_first_one_at_the_start(x, inner, form):
    torch.testing.assert_close(CalibratedHead(inner, D, C, form=form)(x), inner(x))


@pytest.mark.parametrize("form", ["residual", "convex"])
def test_calibrated_logits_follow_the_equation(x, inner, form):
    head, moves = CalibratedHead(inner, D, C, form=form), ([0.5, -0.2, 2.0], [1.0, 0.0, -3.0])
    with torch.no_grad():
        head.logit_scale.copy_(torch.tensor(moves[0]))
        head.logit_bias.copy_(torch.tensor(moves[1]))
        head.gate.weight.copy_(torch.tensor([[0.3, -1.0, 0.7, 2.0]]))
        head.gate.bias.fill_(0.25)
        found, first = head(x).tolist(), inner(x).tolist()
    for n, feature in enumerate(x.tolist()):
        parts = zip(feature, [0.3, -1.0, 0.7, 2.0], strict=True)
        gate = sigmoid(sum(a * u for a, u in parts) + 0.25)
        for c in range(C):
            a, b, z = moves[0][c], moves[1][c], first[n][c]
            residual, convex = (1 + gate * a) * z + gate * b, gate * (a * z + b) + (1 - gate) * z
            want = residual if form == "residual" else convex
            assert found[n][c] == pytest.approx(want, abs=1e-5)


def test_calibrated_head_freezes_the_first_one(x, inner):
    head = CalibratedHead(inner, D, C)
    head(x).sum().backward()
    trained = {name for name, p in head.named_parameters() if p.requires_grad}
    assert trained == {"logit_scale", "logit_bias", "gate.weight", "gate.bias"}
    assert inner.weight.grad is None


def test_official_start_of_the_gate_is_a_tenth_everywhere(inner):
    assert CalibratedHead(inner, D, C, gate_init="official").gate.weight.eq(0.1).all()
    small = CalibratedHead(inner, D, C).gate
    assert small.bias.eq(0).all()
    assert 0 < small.weight.abs().max() < 0.1


@pytest.mark.parametrize("tau", [0.0, 0.5, 1.0, 2.0])
def test_tau_divides_each_row_by_a_power_of_its_length(x, inner, tau):
    rows = inner.weight.tolist()
    found = TauNormHead(inner, tau=tau)(x).tolist()
    for n, feature in enumerate(x.tolist()):
        for c, row in enumerate(rows):
            value = sum(a * b for a, b in zip(feature, row, strict=True)) / math.hypot(*row) ** tau
            assert found[n][c] == pytest.approx(value, rel=1e-4, abs=1e-5)


def test_tau_zero_with_bias_is_the_classifier_itself(x, inner):
    torch.testing.assert_close(TauNormHead(inner, tau=0.0, keep_bias=True)(x), inner(x))
    assert TauNormHead(inner, tau=0.0).bias is None


def test_tau_normalisation_leaves_the_classifier_as_it_was(x, inner):
    before = inner.weight.detach().clone()
    head = TauNormHead(inner, tau=1.0, keep_bias=True)
    with torch.no_grad():
        inner.bias.add_(1)
    assert torch.equal(inner.weight, before)
    assert not torch.equal(head.bias, inner.bias)
    assert list(head.parameters()) == []


def test_tau_of_a_row_of_zeros_is_zero(x, inner):
    with torch.no_grad():
        inner.weight[1] = 0
    assert TauNormHead(inner, tau=1.0)(x)[:, 1].eq(0).all()


@pytest.mark.parametrize("first", [CosineHead(D, C), nn.Identity()])
def test_tau_of_anything_but_a_linear_classifier_is_refused(first):
    with pytest.raises(UserError, match="needs a linear classifier"):
        TauNormHead(first)


def centred(rows, mean):
    moved = [[a - m for a, m in zip(row, mean, strict=True)] for row in rows]
    return [[a / math.hypot(*row) for a in row] for row in moved]


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_nearest_mean_follows_the_definition(x, distance):
    features, targets = torch.randn(7, D), [0, 1, 2, 0, 1, 1, 2]
    head = NearestMeanHead(features, torch.tensor(targets), C, distance=distance, temperature=2.0)
    mean = [sum(column) / 7 for column in zip(*features.tolist(), strict=True)]
    near, found = centred(features.tolist(), mean), head(x).tolist()
    for c in range(C):
        own = [row for row, y in zip(near, targets, strict=True) if y == c]
        centre = [sum(column) / len(own) for column in zip(*own, strict=True)]
        for n, row in enumerate(centred(x.tolist(), mean)):
            if distance == "euclidean":
                want = -sum((a - b) ** 2 for a, b in zip(row, centre, strict=True))
            else:
                want = sum(a * b for a, b in zip(row, centre, strict=True)) / math.hypot(*centre)
            assert found[n][c] == pytest.approx(2 * want, abs=1e-5)


def test_nearest_mean_of_separate_classes_finds_them():
    features = torch.eye(C).repeat_interleave(4, dim=0) + 0.01 * torch.randn(4 * C, C)
    targets = torch.arange(C).repeat_interleave(4)
    for distance in ("euclidean", "cosine"):
        head = NearestMeanHead(features, targets, C, distance=distance)
        assert torch.equal(head(features).argmax(dim=1), targets)


@pytest.mark.parametrize("form", ["l2n", "raw"])
@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_nearest_mean_of_other_features_is_the_equation(x, form, distance):
    features, targets = torch.randn(7, D) + 1, [0, 1, 2, 0, 1, 0, 2]
    head = NearestMeanHead(features, torch.tensor(targets), C, distance=distance, form=form)

    def form_of(row):
        return row if form == "raw" else [v / math.hypot(*row) for v in row]

    for n, row in enumerate(x.tolist()):
        near = form_of(row)
        for c in range(C):
            own = [form_of(f) for f, y in zip(features.tolist(), targets, strict=True) if y == c]
            centre = [sum(column) / len(own) for column in zip(*own, strict=True)]
            if distance == "euclidean":
                want = -sum((a - b) ** 2 for a, b in zip(near, centre, strict=True))
            else:
                dot = sum(a * b for a, b in zip(near, centre, strict=True))
                want = dot / math.hypot(*near) / math.hypot(*centre)
            assert head(x)[n, c].item() == pytest.approx(want, abs=1e-4)


def test_what_all_features_share_costs_the_nearest_mean_nothing():
    """Trap: squares less products in float32 lose all digits where features lie far out."""
    targets = torch.arange(3).repeat(50)
    features = 100 + 0.01 * torch.randn(150, 512)
    features[torch.arange(150), targets] += 0.3
    head = NearestMeanHead(features, targets, 3, form="raw")
    assert torch.equal(head(features).argmax(1), targets)
    wide, means = features.double(), head.centroids.double()
    want = -torch.cdist(wide, means).square()
    assert torch.allclose(head(features).double(), want, atol=1e-3)


@pytest.mark.parametrize(
    ("targets", "options", "words"),
    [
        ([0, 1, 1, 0, 0, 1, 0], {}, r"no image of the classes \[2\]"),
        ([0, 1, 2, 3, 0, 1, 2], {}, "beyond the 3 classes"),
        ([0, 1, 2], {}, r"give \(N, 4\) and \(N,\)"),
        ([0, 1, 2, 0, 1, 2, 0], {"form": "un"}, "form is 'un': choose one of cl2n, l2n, raw"),
        ([0, 1, 2, 0, 1, 2, 0], {"distance": "L1"}, "distance is 'L1'"),
    ],
)
def test_nearest_mean_of_what_cannot_be_is_refused(targets, options, words):
    with pytest.raises(UserError, match=words):
        NearestMeanHead(torch.randn(7, D), torch.tensor(targets), C, **options)


def test_weight_scaling_is_a_factor_per_class(x, inner):
    scales = torch.tensor([0.5, 1.0, 2.0])
    want = [[s * v for s, v in zip(scales.tolist(), row, strict=True)] for row in inner(x).tolist()]
    torch.testing.assert_close(scaled_logits(inner(x), scales), torch.tensor(want))
