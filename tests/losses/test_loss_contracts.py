"""What every public loss promises: the contract, and what single losses promise beside it."""

import pytest
import torch
from torch import nn

from lt_lightning.errors import UserError
from lt_lightning.losses import (
    ALA,
    LDAM,
    CrossEntropy,
    InfluenceBalanced,
    SigmoidFocal,
    SoftmaxFocal,
)
from lt_lightning.testing import check_loss


def test_contract(make_case, loss_class):
    check_loss(make_case(loss_class).build)


@pytest.mark.slow
def test_contract_in_every_setting(case):
    check_loss(case.build)


def gradient(case, loss, batch):
    logits = batch.logits.clone().requires_grad_()
    value = case.value(loss, type(batch)(logits, batch.targets, batch.features))
    (slope,) = torch.autograd.grad(value, logits)
    return value.detach(), slope


def test_no_value_is_negative(case):
    batch = case.batch()
    for logits in (batch.logits, 1e4 * nn.functional.one_hot(batch.targets, batch.logits.shape[1])):
        loss = case.build()
        loss.trust_scale()
        assert case.value(loss, type(batch)(logits.float(), batch.targets, batch.features)) >= 0


def test_ala_gives_no_gradient_through_the_difficulty(make_case):
    case = make_case(ALA)
    loss, batch = case.build().double(), case.batch(dtype=torch.float64)
    _, slope = gradient(case, loss, batch)
    index = batch.targets[:, None]
    margin = loss.quantity[index] * (loss.scale - batch.logits.gather(1, index)) / 2
    lowered = batch.logits.scatter_add(1, index, -margin).softmax(1)
    expected = (lowered - nn.functional.one_hot(batch.targets, 6)) / len(batch)
    torch.testing.assert_close(slope, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("detach", [False, True])
def test_influence_divides_the_gradient_only_as_a_constant_where_detached(make_case, detach):
    case = make_case(InfluenceBalanced, {"detach": detach, "weights": None})
    loss, batch = case.build().double(), case.batch(dtype=torch.float64)
    _, slope = gradient(case, loss, batch)
    p = batch.logits.softmax(1)
    error = p - nn.functional.one_hot(batch.targets, 6)
    divisor = error.abs().sum(1) * batch.features.abs().sum(1) + 1e-3
    constant = 1000 * error / divisor[:, None] / len(batch)
    assert torch.allclose(slope, constant) == detach


@pytest.mark.parametrize("kind", [SoftmaxFocal, SigmoidFocal])
def test_a_detached_focal_factor_is_a_weight_and_no_more(make_case, kind):
    slopes = {}
    for detach in (False, True):
        case = make_case(kind, {"gamma": 1.5, "detach": detach, "reduction": "mean"})
        batch = case.batch(dtype=torch.float64)
        slopes[detach] = gradient(case, case.build().double(), batch)[1]
    p = batch.logits.softmax(1) if kind is SoftmaxFocal else batch.logits.sigmoid()
    one_hot = nn.functional.one_hot(batch.targets, 6)
    own = p.gather(1, batch.targets[:, None])
    factor = (1 - own if kind is SoftmaxFocal else (p - one_hot).abs()) ** 1.5
    torch.testing.assert_close(slopes[True], factor * (p - one_hot) / len(batch))
    assert not torch.allclose(slopes[True], slopes[False])


class Probe(CrossEntropy):
    """A loss whose formula multiplies matrices, which autocast would narrow."""

    def per_sample(self, logits, targets):
        return super().per_sample(logits @ torch.eye(6), targets)


def test_formula_runs_outside_autocast(make_case, counts):
    batch = make_case(CrossEntropy).batch()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = Probe(counts)(batch.logits, batch.targets)
    assert torch.equal(value, CrossEntropy(counts)(batch.logits, batch.targets))


COSINES = torch.linspace(-1, 1, 48).reshape(8, 6)
TARGETS = torch.arange(8) % 6


@pytest.mark.parametrize("loss_type", [ALA, LDAM])
def test_a_loss_for_cosines_catches_others(counts, loss_type):
    with pytest.warns(UserWarning, match=r"as bare cosines do, but \w+ has the scale 30"):
        loss_type(counts)(COSINES, TARGETS)
    with pytest.raises(UserError, match="a logit has the size 40: give it the outputs of"):
        loss_type(counts)(40 * COSINES, TARGETS)
    later = loss_type(counts)
    later(30 * COSINES, TARGETS)
    with pytest.raises(UserError, match="a logit has the size 40"):
        later(40 * COSINES, TARGETS)
    assert later(30 * COSINES, TARGETS).isfinite()
    known = loss_type(counts)
    known.trust_scale()
    known(COSINES, TARGETS)
    CrossEntropy(counts)(COSINES, TARGETS)
