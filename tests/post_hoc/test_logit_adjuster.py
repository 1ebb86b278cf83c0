from types import SimpleNamespace

import pytest
import torch

from lt_lightning.errors import UserError
from lt_lightning.losses import BalancedSoftmax, CrossEntropy
from lt_lightning.methods import ERM
from lt_lightning.post_hoc import LogitAdjuster, adjust_logits, functions

COUNTS = torch.tensor([90, 10])


def finished(loss=CrossEntropy):
    return SimpleNamespace(
        last_loss=loss(COUNTS), post_hoc=None, log_shares=lambda: torch.zeros(2).double()
    )


def test_subtracts_tau_log_prior():
    change, model = LogitAdjuster(tau=2.0), finished()
    change.apply(model, SimpleNamespace(class_counts=COUNTS))
    got = model.post_hoc(torch.tensor([[3.0, 0.0]]))
    log = torch.tensor([0.9, 0.1]).log()
    assert torch.allclose(got, torch.tensor([[3.0, 0.0]]) - 2 * log)
    assert change.describe() == "logit_adjustment_tau_2"


def test_fits_tau_on_held_out_images(monkeypatch):
    # The tail's images lack 1.5 to be told from the head: log 9 = 2.197 per unit of tau.
    logits = torch.tensor([[1.6, 0.0], [1.5, 0.0]])
    monkeypatch.setattr(
        "lt_lightning.post_hoc.logit_adjuster.held_out_logits",
        lambda model, data: (logits, torch.tensor([0, 1])),
    )
    adjusted = []
    monkeypatch.setattr(
        functions, "adjust_logits", lambda *given: adjusted.append(1) or adjust_logits(*given)
    )
    change, model = LogitAdjuster(tau=None), finished()
    change.apply(model, SimpleNamespace(class_counts=COUNTS))
    assert change.tau == pytest.approx(0.7)
    assert len(adjusted) == len(change.curve) == 21
    assert max(change.curve, key=change.curve.__getitem__) == change.tau
    assert change.fitted_on == "held-out"
    assert model.post_hoc(logits).argmax(dim=1).tolist() == [0, 1]


def test_a_run_that_compensated_already_is_refused():
    with pytest.raises(UserError, match="BalancedSoftmax, which compensates"):
        LogitAdjuster().apply(finished(BalancedSoftmax), SimpleNamespace(class_counts=COUNTS))


def test_a_deferred_loss_that_compensates_is_refused_too():
    model = ERM(class_counts=COUNTS, deferred_loss=BalancedSoftmax)
    with pytest.raises(UserError, match="BalancedSoftmax, which compensates"):
        LogitAdjuster().apply(model, SimpleNamespace(class_counts=COUNTS))


def test_negative_tau_is_refused():
    with pytest.raises(UserError, match="tau is -1"):
        LogitAdjuster(tau=-1)
