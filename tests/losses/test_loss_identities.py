"""Where one loss is a case of another."""

import pytest
import torch

from lt_lightning.losses import (
    ALA,
    CDT,
    LDAM,
    AdjustmentDelta,
    BalancedGroupSoftmax,
    BalancedSoftmax,
    CrossEntropy,
    EffectiveNumber,
    EqualizedDelta,
    GeneralizedReweight,
    InverseFrequency,
    LabelAwareSmoothing,
    LabelOverSmoothing,
    LabelSmoothing,
    LogitAdjustment,
    MarginDelta,
    Pairwise,
    SigmoidFocal,
    SoftmaxFocal,
    VectorScaling,
)

COUNTS = torch.tensor([500, 9, 37, 120, 1, 60])
EQUAL = torch.tensor([40] * 6)
LOGITS = 3 * torch.randn(19, 6, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
TARGETS = torch.randint(6, (19,), generator=torch.Generator().manual_seed(5))
FEATURES = torch.randn(19, 4, generator=torch.Generator().manual_seed(6), dtype=torch.float64)


def value_and_gradient(loss, logits=LOGITS):
    logits = logits.clone().requires_grad_()
    value = loss.double()(logits, TARGETS, features=FEATURES)
    return value.detach(), torch.autograd.grad(value, logits)[0]


def same(first, second):
    for a, b in zip(value_and_gradient(first), value_and_gradient(second), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-8)


def test_balanced_softmax_is_logit_adjustment_with_tau_one():
    same(BalancedSoftmax(COUNTS), LogitAdjustment(COUNTS, tau=1.0))


def test_cdt_is_vector_scaling_without_offsets():
    same(CDT(COUNTS, gamma=0.35), VectorScaling(COUNTS, gamma=0.35, tau=0.0))


def test_logit_adjustment_is_vector_scaling_without_temperatures():
    same(VectorScaling(COUNTS, gamma=0.0, tau=1.3), LogitAdjustment(COUNTS, tau=1.3))


@pytest.mark.parametrize("tau", [0.0, 1.0, 2.5])
def test_logit_adjustment_is_a_case_of_pairwise(tau):
    same(Pairwise(COUNTS, delta=AdjustmentDelta(tau=tau)), LogitAdjustment(COUNTS, tau=tau))


def test_ldam_is_a_case_of_pairwise():
    delta = MarginDelta(max_margin=0.4, scale=12.0)
    same(Pairwise(COUNTS, delta=delta), LDAM(COUNTS, max_margin=0.4, scale=12.0))


def test_cost_sensitive_cross_entropy_is_pairwise_without_margins():
    flat = Pairwise(COUNTS, delta=AdjustmentDelta(tau=0.0), weights=InverseFrequency())
    same(flat, CrossEntropy(COUNTS, weights=InverseFrequency()))


def test_equalized_loss_is_a_case_of_pairwise():
    """w_k = 1 - gamma [rare k] (1 - [k = y]) inside the denominator, as its paper writes it."""
    rare = COUNTS / COUNTS.sum() < 0.1
    assert rare.tolist() == [False, True, True, False, True, True]
    expected = 0.0
    for z, y in zip(LOGITS.tolist(), TARGETS.tolist(), strict=True):
        weights = [1 - 0.9 * bool(rare[k]) * (k != y) for k in range(6)]
        powers = torch.tensor(z, dtype=torch.float64).exp()
        expected += -torch.log(powers[y] / (torch.tensor(weights) * powers).sum()) / len(TARGETS)
    got, _ = value_and_gradient(Pairwise(COUNTS, delta=EqualizedDelta(threshold=0.1)))
    torch.testing.assert_close(got, expected, rtol=1e-6, atol=0)


NEUTRAL = {
    "logit adjustment": LogitAdjustment(COUNTS, tau=0.0),
    "vector scaling": VectorScaling(COUNTS, gamma=0.0, tau=0.0),
    "cdt": CDT(COUNTS, gamma=0.0),
    "ldam": LDAM(COUNTS, max_margin=0.0),
    "softmax focal": SoftmaxFocal(COUNTS, gamma=0.0),
    "label smoothing": LabelSmoothing(COUNTS, eps=0.0),
    "label smoothing, others": LabelSmoothing(COUNTS, eps=0.0, spread="others"),
    "label-aware smoothing": LabelAwareSmoothing(COUNTS, eps_head=0.0),
    "label over-smoothing": LabelOverSmoothing(COUNTS, delta=0.0),
    "equalized": Pairwise(COUNTS, delta=EqualizedDelta(gamma=0.0)),
    "adjustment": Pairwise(COUNTS, delta=AdjustmentDelta(tau=0.0)),
    "margin": Pairwise(COUNTS, delta=MarginDelta(max_margin=0.0)),
    "one group": BalancedGroupSoftmax(COUNTS, boundaries=()),
    "inverse frequency": CrossEntropy(COUNTS, weights=InverseFrequency(power=0.0)),
    "effective number": CrossEntropy(COUNTS, weights=EffectiveNumber(beta=0.0)),
    "generalized re-weighting": CrossEntropy(COUNTS, weights=GeneralizedReweight(rho=0.0)),
}


@pytest.mark.parametrize("name", NEUTRAL)
def test_neutral_setting_is_cross_entropy(name):
    same(NEUTRAL[name], CrossEntropy(COUNTS))


def test_equal_counts_leave_cross_entropy():
    """A constant added to all logits, or a margin of zero between equals, changes nothing."""
    for loss in (
        BalancedSoftmax(EQUAL),
        LogitAdjustment(EQUAL, tau=2.0),
        VectorScaling(EQUAL),
        CDT(EQUAL),
        Pairwise(EQUAL),
        CrossEntropy(EQUAL, weights=InverseFrequency()),
        CrossEntropy(EQUAL, weights=EffectiveNumber(), reduction="mean"),
        CrossEntropy(EQUAL, weights=GeneralizedReweight(), reduction="mean"),
    ):
        same(loss, CrossEntropy(EQUAL))


def test_equal_counts_give_ldam_one_margin_for_all():
    lowered = LOGITS.clone()
    lowered[torch.arange(19), TARGETS] -= 30 * 0.5
    expected, _ = value_and_gradient(CrossEntropy(EQUAL), lowered)
    torch.testing.assert_close(value_and_gradient(LDAM(EQUAL))[0], expected)


def test_sigmoid_focal_with_gamma_zero_is_binary_cross_entropy():
    one_hot = torch.nn.functional.one_hot(TARGETS, 6).double()
    expected = torch.nn.functional.binary_cross_entropy_with_logits(LOGITS, one_hot) * 6
    torch.testing.assert_close(
        value_and_gradient(SigmoidFocal(COUNTS, gamma=0.0))[0], expected, rtol=1e-9, atol=0
    )


@pytest.mark.parametrize("spread", ["all", "others"])
@pytest.mark.parametrize("form", ["concave", "linear", "convex", "exp"])
def test_label_aware_smoothing_with_equal_ends_is_label_smoothing(form, spread):
    aware = LabelAwareSmoothing(COUNTS, eps_head=0.2, eps_tail=0.2, form=form, spread=spread)
    same(aware, LabelSmoothing(COUNTS, eps=0.2, spread=spread))


def test_label_over_smoothing_is_the_smoothing_of_pytorch():
    expected = torch.nn.functional.cross_entropy(LOGITS, TARGETS, label_smoothing=0.98)
    torch.testing.assert_close(value_and_gradient(LabelOverSmoothing(COUNTS))[0], expected)
    same(LabelOverSmoothing(COUNTS, delta=0.9), LabelSmoothing(COUNTS, eps=0.9))


@pytest.mark.parametrize("delta", [0.0, 0.3, 0.98])
def test_what_over_smoothing_leaves_of_the_shares_is_the_mean_of_its_targets(delta):
    """Images that cannot be told apart are taken for each class as often as its targets say."""
    targets = (1 - delta) * torch.eye(6).double() + delta / 6
    same_name = LabelSmoothing(COUNTS, eps=delta)
    for loss in (LabelOverSmoothing(COUNTS, delta=delta), same_name):
        for drawn in (torch.as_tensor(COUNTS), torch.ones(6)):
            shares = drawn.double() / drawn.sum()
            torch.testing.assert_close(loss.assumed(shares.log()).exp(), shares @ targets)
        assert loss.corrects_prior == (delta > 0.5)


@pytest.mark.parametrize("drawn", [[64, 16, 4], [28, 28, 28], [1, 2, 9]])
def test_what_equal_losses_assume_is_equal(drawn):
    counts, shares = [64, 16, 4], torch.tensor(drawn).double().log().log_softmax(0)
    wanted = LogitAdjustment(counts, tau=0.5).assumed(shares)
    for loss in (
        VectorScaling(counts, gamma=0.0, tau=0.5),
        Pairwise(counts, delta=AdjustmentDelta(0.5)),
    ):
        torch.testing.assert_close(loss.assumed(shares).softmax(0), wanted.softmax(0))
    aware = LabelAwareSmoothing(counts, eps_head=0.98, eps_tail=0.98)
    for loss in (aware, LabelSmoothing(counts, eps=0.98)):
        over = LabelOverSmoothing(counts)
        assert loss.corrects_prior is over.corrects_prior is True
        torch.testing.assert_close(loss.assumed(shares), over.assumed(shares))


def test_the_two_target_conventions_differ_by_the_factor_of_the_others():
    """Spreading eps over all C classes is spreading eps (C - 1) / C over the others."""
    all_of_them = LabelAwareSmoothing(COUNTS, eps_head=0.36, eps_tail=0.12)
    others = LabelAwareSmoothing(COUNTS, eps_head=0.3, eps_tail=0.1, spread="others")
    same(all_of_them, others)
    same(LabelSmoothing(COUNTS, eps=0.36), LabelSmoothing(COUNTS, eps=0.3, spread="others"))


def test_exp_form_with_power_one_is_linear():
    for power, equal in ((1.0, True), (2.0, False)):
        exp = LabelAwareSmoothing(COUNTS, eps_head=0.3, form="exp", power=power)
        linear = LabelAwareSmoothing(COUNTS, eps_head=0.3, form="linear")
        assert torch.allclose(exp.smoothing, linear.smoothing) == equal


def test_class_balanced_loss_tends_to_cross_entropy_and_to_inverse_frequency():
    first = CrossEntropy(COUNTS, weights=EffectiveNumber(beta=1e-9), reduction="mean")
    same(first, CrossEntropy(COUNTS))
    last = CrossEntropy(COUNTS, weights=EffectiveNumber(beta=1 - 1e-12), reduction="mean")
    same(last, CrossEntropy(COUNTS, weights=GeneralizedReweight(), reduction="mean"))


def test_a_factor_of_focal_alpha_scales_the_loss():
    first, _ = value_and_gradient(SoftmaxFocal(COUNTS, alpha=0.5))
    second, _ = value_and_gradient(SoftmaxFocal(COUNTS))
    torch.testing.assert_close(2 * first, second)


def test_who_corrects_the_prior_says_so():
    """The command warns where such a loss meets a class-balanced sampler."""
    correcting = {
        BalancedSoftmax(COUNTS),
        LogitAdjustment(COUNTS, tau=0.5),
        VectorScaling(COUNTS),
        Pairwise(COUNTS),
    }
    assert all(loss.corrects_prior for loss in correcting)
    others = [
        LogitAdjustment(COUNTS, tau=0.0),
        VectorScaling(COUNTS, tau=0.0),
        CDT(COUNTS),
        CrossEntropy(COUNTS, weights=InverseFrequency()),
        LDAM(COUNTS),
        Pairwise(COUNTS, delta=MarginDelta()),
        Pairwise(COUNTS, delta=AdjustmentDelta(tau=0.0)),
    ]
    assert not any(loss.corrects_prior for loss in others)


def test_a_loss_for_cosines_names_the_scale_of_the_head():
    for loss in (LDAM(COUNTS), ALA(COUNTS), Pairwise(COUNTS, delta=MarginDelta())):
        assert loss.scale == 30.0
    for loss in (CrossEntropy(COUNTS), BalancedSoftmax(COUNTS), Pairwise(COUNTS)):
        assert loss.scale is None
