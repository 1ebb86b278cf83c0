"""The sampler: its shares, in the formula and in what is drawn."""

from my_method import PartlyBalanced

from lt_lightning.testing import check_sampling_rule


def test_contract():
    check_sampling_rule(PartlyBalanced())


def test_equation():
    shares = PartlyBalanced(share=0.5).class_probabilities([80, 20], 0, 1)
    assert shares.tolist() == [0.5 * 0.8 + 0.25, 0.5 * 0.2 + 0.25]


def test_draw_has_these_shares():
    labels = [0] * 80 + [1] * 20
    drawn = list(PartlyBalanced(share=0.5).sampler(labels, num_samples=20_000))
    rare = sum(labels[place] for place in drawn) / len(drawn)
    assert abs(rare - 0.35) < 0.02
