"""Classifiers of stage 2: their neutral settings, and slow loops from the equations."""

import math

import pytest
import torch

from lt_lightning.classifiers import CRT, LWS, KeepClassifier
from lt_lightning.errors import UserError
from lt_lightning.heads import (
    CalibratedHead,
    CosineHead,
    LinearHead,
    NearestMeanHead,
    ScaledHead,
    TauNormHead,
)

N, D, C = 7, 5, 4


@pytest.fixture
def x():
    return torch.rand(N, D, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def linear():
    torch.manual_seed(2)
    return LinearHead(D, C)


def test_tau_0_without_bias_is_the_weight_alone(linear, x):
    assert torch.equal(TauNormHead(linear, 0.0)(x), x @ linear.weight.T)


def test_tau_0_with_bias_is_the_trained_classifier(linear, x):
    assert torch.allclose(TauNormHead(linear, 0.0, keep_bias=True)(x), linear(x))


def test_tau_1_gives_rows_of_length_1(linear):
    assert torch.allclose(TauNormHead(linear, 1.0).weight.norm(dim=1), torch.ones(C))


def test_tau_normalisation_equals_its_equation(linear, x):
    got = TauNormHead(linear, 0.7)(x)
    for i in range(N):
        for c in range(C):
            row = linear.weight[c].tolist()
            norm = math.sqrt(sum(w * w for w in row))
            want = sum(float(v) * w / norm**0.7 for v, w in zip(x[i], row, strict=True))
            assert float(got[i, c]) == pytest.approx(want, abs=1e-6)


def test_tau_normalisation_of_a_cosine_head_is_refused():
    with pytest.raises(UserError, match="needs a linear classifier but the run has CosineHead"):
        TauNormHead(CosineHead(D, C))


def test_a_zero_row_stays_finite(x):
    head = LinearHead(D, C)
    with torch.no_grad():
        head.weight[1] = 0
    assert TauNormHead(head, 1.0)(x).isfinite().all()


def test_scales_of_1_change_nothing(linear, x):
    assert torch.equal(ScaledHead(linear, C, frozen=True)(x), linear(x))


def test_scales_multiply_the_logit_bias_included(linear, x):
    before = linear(x).detach()
    head = ScaledHead(linear, C, frozen=True)
    with torch.no_grad():
        head.scales.copy_(torch.tensor([1.0, 2.0, 0.5, 3.0]))
    assert torch.allclose(head(x), before * torch.tensor([1.0, 2.0, 0.5, 3.0]))


@pytest.mark.parametrize("form", ["residual", "convex"])
@pytest.mark.parametrize("gate_init", ["small", "official"])
def test_calibration_starts_as_the_identity(form, gate_init, linear, x):
    head = CalibratedHead(linear, D, C, form=form, gate_init=gate_init)
    assert torch.allclose(head(x), linear(x), atol=1e-6)


@pytest.mark.parametrize("form", ["residual", "convex"])
def test_calibration_equals_its_equation(form, linear, x):
    torch.manual_seed(3)
    head = CalibratedHead(linear, D, C, form=form)
    with torch.no_grad():
        head.logit_scale.normal_()
        head.logit_bias.normal_()
        head.gate.weight.normal_()
    got, z = head(x).detach(), linear(x).detach()
    for i in range(N):
        u = (x[i] * head.gate.weight[0]).sum().item() + head.gate.bias.item()
        g = 1 / (1 + math.exp(-u))
        for c in range(C):
            a, b, value = head.logit_scale[c].item(), head.logit_bias[c].item(), float(z[i, c])
            moved = g * (a * value + b) + (1 - g) * value
            want = (1 + g * a) * value + g * b if form == "residual" else moved
            assert float(got[i, c]) == pytest.approx(want, abs=1e-5)


def test_the_official_start_keeps_the_class_and_sharpens(linear, x):
    head = CalibratedHead(linear, D, C, init_scale=1.0, gate_init="official")
    assert torch.equal(head(x).argmax(1), linear(x).argmax(1))
    assert (head(x).abs() > linear(x).abs()).all()


def test_calibration_trains_all_but_the_first_classifier(linear):
    head = CalibratedHead(linear, D, C)
    trained = {name for name, p in head.named_parameters() if p.requires_grad}
    assert trained == {"logit_scale", "logit_bias", "gate.weight", "gate.bias"}


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_nearest_mean_equals_its_equation(distance, x):
    y = torch.tensor([0, 1, 2, 3, 0, 1, 1])
    head = NearestMeanHead(x, y, C, distance=distance, temperature=2.0)
    got = head(x)
    mean = [float(x[:, d].mean()) for d in range(D)]

    def near(row):
        centred = [float(v) - m for v, m in zip(row, mean, strict=True)]
        length = math.sqrt(sum(v * v for v in centred))
        return [v / length for v in centred]

    points = [near(row) for row in x]
    for c in range(C):
        own = [p for p, label in zip(points, y.tolist(), strict=True) if label == c]
        centre = [sum(p[d] for p in own) / len(own) for d in range(D)]
        for i in range(N):
            if distance == "euclidean":
                want = -2.0 * sum((a - b) ** 2 for a, b in zip(points[i], centre, strict=True))
            else:
                length = math.sqrt(sum(v * v for v in centre))
                dot = sum(a * b for a, b in zip(points[i], centre, strict=True))
                want = 2.0 * dot / length
            assert float(got[i, c]) == pytest.approx(want, abs=1e-5)


def test_nearest_mean_of_separated_classes_is_right():
    x = torch.eye(4).repeat_interleave(3, 0) + 0.01 * torch.rand(12, 4)
    y = torch.arange(4).repeat_interleave(3)
    assert torch.equal(NearestMeanHead(x, y, 4)(x).argmax(1), y)


def test_crt_forgets_the_first_classifier(linear):
    torch.manual_seed(9)
    new = CRT().build(linear, D, C)
    assert isinstance(new, LinearHead)
    assert not torch.equal(new.weight, linear.weight)


def test_lws_trains_the_factors_alone(linear):
    head = LWS().build(linear, D, C)
    assert {n for n, p in head.named_parameters() if p.requires_grad} == {"scales"}
    assert [len(g["params"]) for g in LWS().groups(head)] == [1]


def test_lws_with_a_rate_trains_the_weights_at_it(linear):
    rule = LWS(lr_factor=0.5)
    groups = rule.groups(rule.build(linear, D, C))
    assert [g.get("lr_factor", 1.0) for g in groups] == [1.0, 0.5]
    assert sum(p.numel() for g in groups for p in g["params"]) == C + C * D + C


def test_a_negative_rate_is_refused():
    with pytest.raises(UserError, match="lr_factor is -1"):
        LWS(lr_factor=-1)


def test_keep_is_the_same_classifier_all_trained(linear):
    linear.requires_grad_(False)
    head = KeepClassifier().build(linear, D, C)
    assert head is linear
    assert all(p.requires_grad for p in head.parameters())
