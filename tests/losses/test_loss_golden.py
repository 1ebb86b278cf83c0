"""Numbers of the papers and codes, and values worked out by hand."""

import math

import pytest
import torch
import torch.nn.functional as F

from lt_lightning.losses import (
    LDAM,
    BalancedSoftmax,
    CrossEntropy,
    LabelAwareSmoothing,
    LabelOverSmoothing,
    LogitAdjustment,
    SigmoidFocal,
    SoftmaxFocal,
    class_smoothing,
    ldam_margins,
    log_prior,
    quantity_factors,
    recommended_gamma,
    recommended_smoothing,
    sigmoid_bias_init,
    smoothed_cross_entropy,
)


@pytest.mark.parametrize(
    ("ratio", "margin", "quantity"), [(100, 0.158, 0.150), (50, 0.188, 0.176), (10, 0.281, 0.289)]
)
def test_margin_and_quantity_factor_of_the_head(cifar_counts, ratio, margin, quantity):
    for classes in (10, 100):
        counts = cifar_counts(classes, ratio)
        margins, factors = ldam_margins(counts), quantity_factors(counts)
        assert (float(margins[0]), float(factors[0])) == pytest.approx((margin, quantity), abs=5e-4)
        assert (float(margins[-1]), float(factors[-1])) == (0.5, 1.0)
        assert (margins.diff() >= 0).all(), "the margin is largest for the rarest class"


def test_ldam_margin_is_subtracted_before_the_scale():
    loss = LDAM(torch.tensor([16, 1]))  # margins 0.25, 0.5; scaled 7.5, 15
    for target, margin in ((0, 7.5), (1, 15.0)):
        got = loss(torch.tensor([[12.0, 12.0]]), torch.tensor([target])).item()
        assert got == pytest.approx(math.log1p(math.exp(margin)))


def test_log_prior_is_the_natural_logarithm_of_the_share():
    assert log_prior(torch.tensor([3, 1])).tolist() == pytest.approx(
        [math.log(0.75), math.log(1 / 4)]
    )


def test_adjustment_by_hand():
    # equal logits: the softmax is the prior itself
    loss = BalancedSoftmax(torch.tensor([90, 10]), reduction="mean")
    assert loss(torch.ones(1, 2), torch.tensor([1])).item() == pytest.approx(-math.log(0.1))
    squared = LogitAdjustment(torch.tensor([90, 10]), tau=2.0)
    assert squared(torch.ones(1, 2), torch.tensor([1])).item() == pytest.approx(math.log(82))


@pytest.mark.parametrize("tau", [1.0, 3.0, 4.0])
def test_adjustment_of_a_rare_class_is_exact_for_large_tau(cifar_counts, tau):
    """log(prior^tau + 1e-12), an official form, is off by 0.01 at tau 3 and by 3.1 at 4."""
    counts = cifar_counts(100, 100)
    assert int(counts.sum()) == 10847
    adjustment = LogitAdjustment(counts, tau=tau).adjustment
    assert float(adjustment[-1]) == pytest.approx(tau * math.log(5 / 10847), rel=1e-6)


def one_image(nll):
    """Logits of two classes whose cross-entropy for class 0 is `nll`."""
    return torch.tensor([[-math.log(math.expm1(nll)), 0.0]], dtype=torch.float64)


@pytest.mark.parametrize(("weight", "expected"), [(4.0, 2.53), (0.05, 0.0316)])
def test_focal_probability_is_that_of_the_unweighted_loss(weight, expected):
    """exp(-w CE) in place of exp(-CE) gives 3.93 and 0.0024."""
    loss = SoftmaxFocal(torch.tensor([1, 1]), gamma=1.0, reduction="mean")
    loss.weight.fill_(weight)
    assert loss(one_image(1.0), torch.tensor([0])).item() == pytest.approx(expected, rel=3e-3)


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_focal_gradient_is_finite_where_the_target_is_certain(gamma):
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        logits = torch.tensor([[200.0, 0.0], [17.0, 0.0], [0.0, 0.0]], dtype=dtype)
        logits.requires_grad_()
        value = SoftmaxFocal(torch.tensor([1, 1]), gamma=gamma)(logits, torch.tensor([0, 0, 0]))
        value.backward()
        assert value.detach() >= 0
        assert logits.grad.isfinite().all()
        assert (logits.grad[:, 0] <= 0).all()


def test_sigmoid_bias_starts_every_class_at_one_in_c():
    assert torch.sigmoid(torch.tensor(sigmoid_bias_init(100))).item() == pytest.approx(0.01)
    assert sigmoid_bias_init(1) == 0.0


def targets_of(eps, spread, num_classes=10):
    """The target distribution a smoothed loss stands for, from its gradient p - q."""
    logits = torch.zeros(1, num_classes, dtype=torch.float64, requires_grad=True)
    smoothed_cross_entropy(logits, torch.tensor([2]), eps, spread=spread).sum().backward()
    return (1 / num_classes - logits.grad[0]).tolist()


def test_targets_of_both_conventions():
    rest = [0.04] * 10
    assert targets_of(0.4, "all") == pytest.approx([*rest[:2], 0.64, *rest[3:]])
    rest = [0.4 / 9] * 10
    assert targets_of(0.4, "others") == pytest.approx([*rest[:2], 0.60, *rest[3:]])


def test_smoothing_between_head_and_tail_in_every_form():
    counts = torch.tensor([101, 51, 1])  # r = 1, 1/2, 0
    middle = {
        "concave": 0.1 + 0.3 * math.sin(math.pi / 4),
        "linear": 0.25,
        "convex": 0.4 + 0.3 * math.sin(1.75 * math.pi),
        "exp": 0.1 + 0.3 / 8,
    }
    for form, expected in middle.items():
        got = class_smoothing(counts, eps_head=0.4, eps_tail=0.1, form=form, power=3.0)
        assert got.tolist() == pytest.approx([0.4, expected, 0.1])
    assert middle["concave"] > middle["linear"] > middle["convex"]
    equal = class_smoothing(torch.tensor([7, 7]), eps_head=0.4, eps_tail=0.1)
    assert equal.tolist() == [0.4, 0.4]


@pytest.mark.parametrize(
    ("classes", "head", "tail", "expected"),
    [
        (10, 5000, 50, (0.3, 0.0)),
        (10, 5000, 100, (0.2, 0.0)),
        (10, 5000, 500, (0.1, 0.0)),
        (100, 500, 5, (0.4, 0.1)),
        (100, 500, 10, (0.3, 0.0)),
        (100, 500, 50, (0.2, 0.0)),
        (365, 4980, 5, (0.4, 0.1)),
        (1000, 1280, 5, (0.3, 0.0)),
        (8142, 1000, 2, (0.3, 0.0)),
    ],
)
def test_smoothing_follows_the_data_set_without_being_given(classes, head, tail, expected):
    assert recommended_smoothing(classes, head / tail) == expected
    loss = LabelAwareSmoothing(torch.tensor([tail] * (classes - 1) + [head]))
    assert (float(loss.smoothing[-1]), float(loss.smoothing[0])) == pytest.approx(expected)


@pytest.mark.parametrize(("classes", "true", "other"), [(10, 0.118, 0.098), (100, 0.0298, 0.0098)])
def test_targets_of_over_smoothing_are_those_of_its_code(classes, true, other):
    """Of one-hot logits z the loss is log-sum-exp(z) - z . target, so its gradient tells them."""
    logits = torch.zeros(1, classes, dtype=torch.float64, requires_grad=True)
    loss = LabelOverSmoothing([1] * classes)(logits, torch.tensor([0]))
    (gradient,) = torch.autograd.grad(loss, logits)
    targets = 1 / classes - gradient[0]
    assert float(targets[0]) == pytest.approx(true)
    assert targets[1:].tolist() == pytest.approx([other] * (classes - 1))


def test_smoothing_that_is_given_overrules_the_data_set(cifar_counts):
    loss = LabelAwareSmoothing(cifar_counts(100, 100), eps_head=0.2)
    assert (float(loss.smoothing[0]), float(loss.smoothing[-1])) == pytest.approx((0.2, 0.0))


def test_weighted_mean_of_soft_targets_in_pytorch_is_another_loss():
    """Why a mix is two calls: PyTorch divides soft targets by N, class indices by the weights."""
    logits, weight = torch.tensor([[1.0, -0.5], [0.2, 0.4]]), torch.tensor([0.25, 1.0])
    first, second, share = torch.tensor([0, 1]), torch.tensor([1, 1]), 0.7
    loss = CrossEntropy(torch.tensor([4, 1]))
    loss.weight.copy_(weight)
    ours = loss(logits, first, share) + loss(logits, second, 1 - share)
    two_terms = share * F.cross_entropy(logits, first, weight) + (1 - share) * F.cross_entropy(
        logits, second, weight
    )
    soft = share * F.one_hot(first, 2) + (1 - share) * F.one_hot(second, 2)
    torch.testing.assert_close(ours, two_terms)
    assert not torch.isclose(ours, F.cross_entropy(logits, soft, weight), rtol=0.05)


def test_gamma_that_is_not_given_is_the_published_one(cifar_counts):
    known = {(10, 100): 1.0, (10, 50): 2.0, (100, 100): 1.0, (100, 50): 1.0}
    for (classes, ratio), gamma in known.items():
        assert recommended_gamma(classes, ratio) == gamma
        assert SigmoidFocal(cifar_counts(classes, ratio), gamma=None).gamma == gamma
    assert SigmoidFocal(cifar_counts(10, 50)).gamma == 2.0
