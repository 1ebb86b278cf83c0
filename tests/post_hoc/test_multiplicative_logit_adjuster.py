"""Multiplicative logit adjustment against a loop over images and classes."""

from types import SimpleNamespace

import pytest
import torch

from lt_lightning.errors import UserError
from lt_lightning.losses import BalancedSoftmax, CrossEntropy
from lt_lightning.methods import ERM
from lt_lightning.post_hoc import MultiplicativeLogitAdjuster, macro_accuracy, multiply_logits

COUNTS = [500, 9, 37, 120, 1, 60]


def by_hand(logits, counts, tau):
    """z_c / (n_c / N)^tau, one number at a time."""
    return [
        [z / (n / sum(counts)) ** tau for z, n in zip(row, counts, strict=True)]
        for row in logits.tolist()
    ]


def finished(counts=(90, 10), loss=CrossEntropy):
    return SimpleNamespace(
        hparams={"class_counts": list(counts)},
        last_loss=loss(torch.tensor(counts)),
        post_hoc=None,
        log_shares=lambda: torch.tensor(counts).double().log(),
        changed_log_shares=None,
    )


@pytest.mark.parametrize("tau", [0.0, 0.15, 0.65, 1.0])
def test_function_and_change_are_the_loop(tau):
    logits = 3 * torch.randn(20, 6, generator=torch.Generator().manual_seed(0)).double()
    wanted = torch.tensor(by_hand(logits, COUNTS, tau), dtype=torch.float64)
    assert torch.allclose(multiply_logits(logits, COUNTS, tau), wanted, rtol=1e-9)

    model, change = finished(COUNTS), MultiplicativeLogitAdjuster(tau)
    change.apply(model, None)
    assert torch.allclose(model.post_hoc(logits), wanted.float(), rtol=1e-5)
    assert change.describe() == f"multiplicative_logit_adjustment_tau_{tau:g}"


def test_numbers_by_hand():
    """Shares of 0.9 and 0.1, tau 1: the factors are 1.11 and 10."""
    model = finished()
    MultiplicativeLogitAdjuster(1.0).apply(model, None)
    got = model.post_hoc(torch.tensor([[9.0, 1.0], [9.0, -1.0]]))
    assert got.tolist() == [pytest.approx([10.0, 10.0]), pytest.approx([10.0, -10.0])]


def test_row_and_bias_get_the_same_factor():
    """The logits of a classifier whose rows and biases were multiplied are the same."""
    torch.manual_seed(0)
    x, weight, bias = torch.randn(7, 3), torch.randn(6, 3), torch.randn(6)
    factors = (torch.tensor(COUNTS) / sum(COUNTS)) ** -0.4
    wanted = torch.nn.functional.linear(x, weight * factors[:, None], bias * factors)
    logits = torch.nn.functional.linear(x, weight, bias)
    assert torch.allclose(multiply_logits(logits, COUNTS, 0.4), wanted, rtol=1e-4)


def test_tau_is_the_best_on_held_out_images_and_the_smallest_of_equals(monkeypatch):
    # The tail's image needs 9^tau > 2, which tau 0.35 is the first of the grid to give; from
    # 9^tau > 3, tau 0.55, the head's image is lost.
    logits, targets = torch.tensor([[3.0, 1.0], [2.0, 1.0]]), torch.tensor([0, 1])
    monkeypatch.setattr(
        "lt_lightning.post_hoc.multiplicative_logit_adjuster.held_out_logits",
        lambda model, data: (logits, targets),
    )
    change, model = MultiplicativeLogitAdjuster(), finished()
    values = change.apply(model, SimpleNamespace(class_counts=torch.tensor([90, 10])))
    assert float(values["tau"]) == change.tau == pytest.approx(0.35)
    assert [change.curve[tau] for tau in (0.0, 0.3, 0.35, 0.5, 0.55, 1.0)] == [
        *(0.5, 0.5, 1.0, 1.0, 0.5, 0.5)
    ]
    assert change.fitted_on == "held-out"
    assert macro_accuracy(model.post_hoc(logits).argmax(1), targets, 2) == 1.0


def test_held_out_images_are_asked_for_in_words():
    data = SimpleNamespace(has_validation=False, monitor_test=False)
    with pytest.raises(UserError, match="no held-out images"):
        MultiplicativeLogitAdjuster().apply(finished(), data)


def test_the_shares_after_it_are_even_but_for_tau_0():
    for tau, wanted in ((0.3, [0.5, 0.5]), (0.0, [0.9, 0.1])):
        model = finished()
        MultiplicativeLogitAdjuster(tau).apply(model, None)
        assert model.changed_log_shares.softmax(0).tolist() == pytest.approx(wanted)


def test_a_run_that_compensated_already_is_refused():
    for model in (
        finished(loss=BalancedSoftmax),
        ERM(class_counts=[90, 10], deferred_loss=BalancedSoftmax),
    ):
        with pytest.raises(UserError, match="MultiplicativeLogitAdjuster is for runs of Cross"):
            MultiplicativeLogitAdjuster(0.5).apply(model, None)


@pytest.mark.parametrize("tau", [-0.1, float("inf"), float("nan")])
def test_a_tau_that_is_none_is_refused(tau):
    with pytest.raises(UserError, match="tau is"):
        MultiplicativeLogitAdjuster(tau)
    with pytest.raises(UserError, match="tau is"):
        multiply_logits(torch.zeros(1, 2), [2, 1], tau)


def test_probabilities_and_another_number_of_classes_are_refused():
    with pytest.raises(UserError, match="as probabilities do"):
        multiply_logits(torch.tensor([[0.4, 0.6]]), [2, 1], 0.5)
    with pytest.raises(UserError, match="the same number of classes"):
        multiply_logits(torch.zeros(1, 3), [2, 1], 0.5)
