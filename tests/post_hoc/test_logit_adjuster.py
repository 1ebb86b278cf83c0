from functools import partial
from types import SimpleNamespace

import pytest
import torch

from lt_lightning.engine.changes import Added
from lt_lightning.engine.class_shares import Drawn, differ
from lt_lightning.errors import UserError
from lt_lightning.heads import NearestMeanHead
from lt_lightning.losses import BalancedSoftmax, CrossEntropy, InverseFrequency
from lt_lightning.methods import ERM
from lt_lightning.post_hoc import (
    LogitAdjuster,
    MultiplicativeLogitAdjuster,
    adjust_logits,
    functions,
)

COUNTS = torch.tensor([90, 10])


def finished(loss=CrossEntropy):
    return SimpleNamespace(
        hparams={"class_counts": COUNTS.tolist()},
        last_loss=loss(COUNTS),
        post_hoc=None,
        log_shares=lambda: COUNTS.double().log(),
    )


def test_subtracts_tau_log_prior():
    change, model = LogitAdjuster(tau=2.0), finished()
    change.apply(model, SimpleNamespace(class_counts=COUNTS))
    got = model.post_hoc(torch.tensor([[3.0, 0.0]]))
    log = torch.tensor([0.9, 0.1]).log()
    assert torch.allclose(got, torch.tensor([[3.0, 0.0]]) - 2 * log)
    assert change.describe() == "logit_adjustment_tau_2"


def test_fits_tau_on_held_out_images(monkeypatch, caplog):
    # The tail's images lack 1.5 to be told from the head: log 9 = 2.197 per unit of tau.
    logits = torch.tensor([[1.6, 0.0], [1.5, 0.0]])
    monkeypatch.setattr(
        "lt_lightning.post_hoc.logit_adjuster.held_out_logits",
        lambda model, data: (logits, torch.tensor([0, 1])),
    )
    caplog.set_level("INFO", "lt_lightning")
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
    assert "tau 0.7 has the best macro accuracy on held-out images, 100.00 %" in caplog.text
    assert model.post_hoc(logits).argmax(dim=1).tolist() == [0, 1]


def test_a_run_that_compensated_already_is_refused():
    with pytest.raises(UserError, match="BalancedSoftmax, which compensates"):
        LogitAdjuster().apply(finished(BalancedSoftmax), SimpleNamespace(class_counts=COUNTS))


def test_a_deferred_loss_that_compensates_is_refused_too():
    model = ERM(class_counts=COUNTS, deferred_loss=BalancedSoftmax)
    with pytest.raises(UserError, match="BalancedSoftmax, which compensates"):
        LogitAdjuster().apply(model, SimpleNamespace(class_counts=COUNTS))


ALTERED = {
    "by nothing": ({}, None, None),
    "by the sampler": ({}, [0.5, 0.5], None),
    "by class weights": (
        {"loss": partial(CrossEntropy, weights=InverseFrequency())},
        None,
        None,
    ),
    "by the classifier": ({}, None, NearestMeanHead(torch.eye(2), torch.arange(2), 2)),
}


@pytest.mark.parametrize("change", [LogitAdjuster(1.0), MultiplicativeLogitAdjuster(0.1)])
@pytest.mark.parametrize("how", ALTERED)
def test_a_run_that_compensated_otherwise_is_warned_of_once(change, how, caplog):
    options, drawn, head = ALTERED[how]
    model = ERM(class_counts=COUNTS.tolist(), class_names=["cat", "owl"], **options)
    model.drawn = drawn and Drawn(drawn)
    if head is not None:
        model.head = head
    change.apply(model, SimpleNamespace(class_counts=COUNTS))
    wanted = (
        f"{type(change).__name__} takes out the class shares of the training images, 90 % for cat, "
        "but the outputs of the run assume 50 %, by its sampler, class weights, classifier or an "
        "earlier change: what was compensated is compensated twice."
    )
    assert caplog.messages == ([] if how == "by nothing" else [wanted])


def test_a_change_of_a_changed_run_is_warned_of_and_a_change_made_again_is_not(caplog):
    model = ERM(class_counts=COUNTS.tolist())
    values = LogitAdjuster(1.0).apply(model, SimpleNamespace(class_counts=COUNTS))
    assert caplog.messages == []
    LogitAdjuster(1.0).put(model, values)
    assert caplog.messages == [], "as a saved run is loaded"
    Added(LogitAdjuster(1.0), values).put(model)
    assert len(caplog.messages) == 1


def test_shares_of_many_classes_differ_too():
    drawn = torch.full((8142,), 1 / 8142, dtype=torch.float64)
    prior = drawn * torch.linspace(0.1, 1.9, 8142, dtype=torch.float64)
    assert float((drawn - prior).abs().max()) < 0.001
    assert differ(drawn, prior)
    assert not differ(drawn, drawn)


def test_negative_tau_is_refused():
    with pytest.raises(UserError, match="tau is -1"):
        LogitAdjuster(tau=-1)
