"""Rules for pairwise margins."""

import math

import pytest
import torch

from lt_lightning.losses import (
    AdjustmentDelta,
    DeltaRule,
    EqualizedDelta,
    MarginDelta,
    Pairwise,
    pairwise_loss,
)

RULES = [AdjustmentDelta(), MarginDelta(), EqualizedDelta()]


def test_every_public_rule_is_tested(public_classes):
    assert {type(rule) for rule in RULES} == set(public_classes(DeltaRule))


@pytest.mark.parametrize("rule", RULES, ids=lambda r: type(r).__name__)
def test_a_rule_gives_a_finite_table_that_follows_the_classes(rule):
    counts, order = torch.tensor([500, 9, 1]), torch.tensor([2, 0, 1])
    table = rule(counts)
    assert table.shape == (3, 3)
    assert table.dtype == torch.float64
    assert table.isfinite().all()
    torch.testing.assert_close(rule(counts[order]), table[order][:, order])


def test_rows_are_targets_and_columns_are_rivals():
    counts = torch.tensor([90, 10])
    assert AdjustmentDelta(tau=2.0)(counts)[0, 1].item() == pytest.approx(2 * math.log(1 / 9))
    margin = MarginDelta(max_margin=0.4, scale=10.0)(counts)
    assert margin[0].tolist() == pytest.approx([4 * (1 / 9) ** 0.25] * 2)
    assert margin[1].tolist() == pytest.approx([4.0, 4.0])
    equalized = EqualizedDelta(threshold=0.2, gamma=0.75)(counts)
    assert equalized[0].tolist() == pytest.approx([0.0, math.log(0.25)])


def test_equalization_spares_only_classes_below_the_threshold():
    counts = torch.tensor([96, 2, 2])
    assert (EqualizedDelta(threshold=0.02)(counts) == 0).all()
    assert (EqualizedDelta(threshold=0.021)(counts)[:, 1:] < 0).all()


def test_diagonal_plays_no_part():
    logits, targets = torch.tensor([[1.0, 2.0]]), torch.tensor([0])
    delta = torch.tensor([[100.0, 0.5], [0.0, -100.0]])
    got = pairwise_loss(logits, targets, delta)
    assert got.item() == pytest.approx(math.log(1 + math.exp(1.5)))
    rule = MarginDelta()
    assert (Pairwise(torch.tensor([5, 1]), delta=rule).delta.diagonal() == 0).all()


def test_alpha_is_a_factor_of_the_target():
    logits, targets = torch.zeros(2, 2), torch.tensor([0, 1])
    got = pairwise_loss(logits, targets, torch.zeros(2, 2), torch.tensor([3.0, 0.5]))
    assert got.tolist() == pytest.approx([3 * math.log(2), 0.5 * math.log(2)])
