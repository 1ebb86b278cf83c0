"""Class weights from counts: what every rule promises, and the published numbers."""

import pytest
import torch

from lt_lightning.errors import UserError
from lt_lightning.losses import (
    CrossEntropy,
    EffectiveNumber,
    GeneralizedReweight,
    InverseFrequency,
    WeightRule,
    recommended_beta,
    recommended_focal_beta,
)

RULES = {
    EffectiveNumber: [
        EffectiveNumber(),
        EffectiveNumber(beta=0.9),
        EffectiveNumber(beta=None),
        EffectiveNumber(beta=None, published="focal"),
    ],
    GeneralizedReweight: [GeneralizedReweight(), GeneralizedReweight(rho=1.2)],
    InverseFrequency: [InverseFrequency(), InverseFrequency(power=0.5)],
}
ALL = [rule for rules in RULES.values() for rule in rules]


@pytest.fixture(params=ALL, ids=lambda r: f"{type(r).__name__}{list(vars(r).values())}")
def rule(request):
    return request.param


def test_every_public_rule_is_in_the_table(public_classes):
    assert set(RULES) == set(public_classes(WeightRule))


def test_rarer_classes_weigh_more_and_equal_ones_the_same(rule):
    weights = rule(torch.tensor([500, 1, 37, 37, 4]))
    assert weights.dtype == torch.float64
    assert weights[1] > weights[4] > weights[2] >= weights[0] > 0
    assert weights[2] == weights[3]
    equal = rule(torch.full((7,), 12))
    torch.testing.assert_close(equal, torch.ones(7, dtype=torch.float64))


def test_weights_follow_the_classes_where_these_are_renumbered(rule):
    counts, order = torch.tensor([500, 1, 37, 4]), torch.tensor([2, 0, 3, 1])
    torch.testing.assert_close(rule(counts[order]), rule(counts)[order])


def test_weights_stay_finite_for_inaturalist_and_for_millions(rule):
    for counts in (torch.arange(1, 8143), torch.tensor([10**9, 10**6, 1])):
        weights = rule(counts)
        assert weights.isfinite().all()
        assert (weights > 0).all()
        assert CrossEntropy(counts, weights=rule).weight.isfinite().all()


def test_inverse_frequency_by_hand():
    counts = torch.tensor([400, 100, 4])
    assert InverseFrequency()(counts).tolist() == [0.01, 0.04, 1.0]
    assert InverseFrequency(power=0.5)(counts).tolist() == pytest.approx([0.1, 0.2, 1.0])


def test_effective_number_by_hand():
    # beta 0.5: E = 1, 1.5, 1.75 for 1, 2, 3 images; u = 1/E = 42, 28, 24 over 42; sum 94
    weights = EffectiveNumber(beta=0.5)(torch.tensor([1, 2, 3]))
    assert weights.tolist() == pytest.approx([3 * 42 / 94, 3 * 28 / 94, 3 * 24 / 94])


def test_generalized_reweight_by_hand():
    # r = 4/5, 1/5; 1/r = 1.25, 5; rho 2: 1.5625, 25, the sum 26.5625, times C = 2
    weights = GeneralizedReweight(rho=2.0)(torch.tensor([4, 1]))
    assert weights.tolist() == pytest.approx([2 * 1.5625 / 26.5625, 2 * 25 / 26.5625])


@pytest.mark.parametrize(
    ("classes", "ratio", "beta", "expected"),
    [
        (10, 100, 0.9, "1.01"),
        (10, 100, 0.99, "2.53"),
        (10, 100, 0.999, "20.4"),
        (10, 100, 0.9999, "78.9"),
        (10, 10, 0.99, "1.01"),
        (10, 10, 0.999, "2.52"),
        (10, 10, 0.9999, "8.07"),
        (100, 100, 0.9, "2.44"),
        (100, 100, 0.9999, "97.6"),
        (100, 50, 0.9, "1.54"),
        (100, 50, 0.99, "10.4"),
        (100, 50, 0.9999, "48.8"),
        (100, 10, 0.9, "1.01"),
        (100, 10, 0.9999, "9.78"),
    ],
)
def test_tail_over_head_of_the_class_balanced_weights(cifar_counts, classes, ratio, beta, expected):
    weights = EffectiveNumber(beta=beta)(cifar_counts(classes, ratio))
    assert f"{float(weights[-1] / weights[0]):.3g}" == expected
    assert float(weights.sum()) == pytest.approx(classes)


@pytest.mark.parametrize(
    ("rule", "classes", "expected"),
    [
        (EffectiveNumber(), 10, 0.171),
        (EffectiveNumber(), 100, 0.203),
        (InverseFrequency(), 10, 0.040),
        (InverseFrequency(), 100, 0.046),
    ],
)
def test_mean_weight_of_an_image_which_scales_a_loss_divided_by_n(
    cifar_counts, rule, classes, expected
):
    counts = cifar_counts(classes, 100)
    mean = (rule(counts) * counts).sum() / counts.sum()
    assert float(mean) == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize(
    ("ratio", "rho", "expected"), [(100, 1.2, 251), (100, 1.5, 1000), (256, 1.2, 776)]
)
def test_span_of_the_generalized_weights_is_the_ratio_to_the_power_rho(ratio, rho, expected):
    weights = GeneralizedReweight(rho=rho)(torch.tensor([ratio * 5, 5]))
    assert round(float(weights[1] / weights[0])) == expected


def test_beta_near_one_keeps_its_digits():
    """1 - beta^n in the naive way loses nine digits here."""
    weights = EffectiveNumber(beta=1 - 1e-9)(torch.tensor([1000, 10]))
    # to second order: 1 - (1 - x)^n = n x (1 - (n - 1) x / 2)
    expected = 100 * (1 - 999e-9 / 2) / (1 - 9e-9 / 2)
    assert float(weights[1] / weights[0]) == pytest.approx(expected, rel=1e-11)


def test_beta_by_data_set(cifar_counts):
    assert [recommended_beta(c) for c in (10, 100, 1000, 8142)] == [0.9999, 0.9, 0.999, 0.999]
    for classes, beta in ((10, 0.9999), (100, 0.9)):
        counts = cifar_counts(classes, 100)
        assert torch.equal(EffectiveNumber(beta=None)(counts), EffectiveNumber(beta=beta)(counts))
    assert EffectiveNumber().beta == 0.9999, "deferred re-weighting uses it on all data sets"


def test_beta_of_the_focal_loss_by_data_set_and_ratio(cifar_counts):
    known = [(10, 100), (10, 50), (100, 100), (100, 50), (1000, 256), (8142, 500)]
    found = [recommended_focal_beta(*setting) for setting in known]
    assert found == [0.9999, 0.9999, 0.9, 0.99, 0.999, 0.999]
    for ratio, beta in ((100, 0.9), (50, 0.99)):
        counts = cifar_counts(100, ratio)
        rule = EffectiveNumber(beta=None, published="focal")
        assert torch.equal(rule(counts), EffectiveNumber(beta=beta)(counts))
    with pytest.raises(UserError, match="published is 'bce': choose one of"):
        EffectiveNumber(beta=None, published="bce")
