"""Logit adjustment after training, and the choice of its strength."""

import math

import pytest
import torch

from lt_lightning.errors import UserError
from lt_lightning.losses import LogitAdjustment
from lt_lightning.post_hoc import adjust_logits, fit_tau, macro_accuracy

COUNTS = [500, 9, 37, 120, 1, 60]


def held_out(seed, n=120):
    """Noisy logits of a model that leans to its prior."""
    generator = torch.Generator().manual_seed(seed)
    targets = torch.randint(6, (n,), generator=generator)
    logits = 1.5 * torch.randn(n, 6, generator=generator)
    logits += 3 * torch.nn.functional.one_hot(targets, 6)
    return logits + torch.tensor(COUNTS).log() * (0.5 + 0.1 * seed), targets


def slow_macro(logits, targets, tau):
    right, seen = [0] * 6, [0] * 6
    for row, y in zip(logits.tolist(), targets.tolist(), strict=True):
        scores = [v - tau * math.log(c / sum(COUNTS)) for v, c in zip(row, COUNTS, strict=True)]
        right[y] += scores.index(max(scores)) == y
        seen[y] += 1
    shares = [r / s for r, s in zip(right, seen, strict=True) if s]
    return sum(shares) / len(shares)


@pytest.mark.parametrize("seed", range(4))
def test_fitted_tau_has_the_best_macro_accuracy_of_the_grid(seed):
    logits, targets = held_out(seed)
    grid = [step / 10 for step in range(21)]
    scores = {tau: slow_macro(logits, targets, tau) for tau in grid}
    best = max(scores.values())
    assert len({round(s, 6) for s in scores.values()}) > 3, "the grid must make a difference"
    equals = [t for t in grid if scores[t] == best]
    assert fit_tau(logits, targets, COUNTS) == min(equals, key=lambda t: abs(t - 1))
    own = [2.0, 0.25, 1.1]
    scores = {tau: slow_macro(logits, targets, tau) for tau in own}
    assert scores[fit_tau(logits, targets, COUNTS, own)] == max(scores.values())


def test_fitted_tau_is_the_nearest_to_one_of_equals():
    logits, targets = torch.tensor([[9.0, 0.0], [0.0, 9.0]]), torch.tensor([0, 1])
    assert fit_tau(logits, targets, [2, 1], [0.3, 0.7, 1.6, 0.5]) == 0.7
    assert fit_tau(logits, targets, [2, 1]) == 1.0


def test_classes_absent_from_the_held_out_images_do_not_count():
    predictions, targets = torch.tensor([0, 0, 2, 2]), torch.tensor([0, 0, 0, 2])
    assert macro_accuracy(predictions, targets, 5) == pytest.approx((2 / 3 + 1) / 2)


def test_tau_zero_changes_nothing_and_tau_one_is_by_hand():
    logits, _ = held_out(0)
    assert torch.equal(adjust_logits(logits, COUNTS, 0.0), logits)
    got = adjust_logits(torch.tensor([[1.0, 0.5]]), [90, 10])
    assert got[0].tolist() == pytest.approx([1 - math.log(0.9), 0.5 - math.log(0.1)])


def test_adjustment_after_training_undoes_the_one_in_training():
    logits, _ = held_out(1)
    trained = logits + LogitAdjustment(torch.tensor(COUNTS), tau=1.3).adjustment
    torch.testing.assert_close(adjust_logits(trained, COUNTS, 1.3), logits)


def test_half_logits_are_widened():
    logits, _ = held_out(0)
    assert adjust_logits(logits.half(), COUNTS).dtype == torch.float32
    assert adjust_logits(logits.double(), COUNTS).dtype == torch.float64


def test_bad_input_is_refused():
    logits, targets = held_out(0)
    cases = [
        (lambda: adjust_logits(logits, COUNTS[:-1]), "class_counts has 5"),
        (lambda: adjust_logits(logits, [*COUNTS[:-1], 0]), "below 1"),
        (lambda: adjust_logits(logits, COUNTS, -1.0), "tau is -1"),
        (lambda: adjust_logits(logits, COUNTS, math.nan), "tau is nan"),
        (lambda: fit_tau(logits, targets, COUNTS, []), "0 values and 120 images"),
        (lambda: fit_tau(logits[:0], targets[:0], COUNTS), "21 values and 0 images"),
        (lambda: fit_tau(logits, targets[:-1], COUNTS), r"targets have the shape \(119,\)"),
        (lambda: fit_tau(logits, targets + 1, COUNTS), "there are 6 classes"),
        (lambda: fit_tau(logits.softmax(1), targets, COUNTS), "before softmax"),
        (lambda: fit_tau(logits, targets, COUNTS[:-1]), "built for 5 classes"),
    ]
    for call, words in cases:
        with pytest.raises(UserError, match=words):
            call()
