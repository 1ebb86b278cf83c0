"""tau, class means and temperatures of a finished model."""

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F

from lt_lightning.errors import UserError
from lt_lightning.heads import LinearHead
from lt_lightning.post_hoc import (
    NearestMean,
    TauNormalization,
    TemperatureScaling,
    VectorScalingCalibration,
)
from lt_lightning.post_hoc.calibration import minimise_nll
from lt_lightning.post_hoc.functions import accuracy_curve


def finished(head):
    return SimpleNamespace(
        head=head,
        num_stages=1,
        num_classes=2,
        class_names=["cat", "dog"],
        device=torch.device("cpu"),
        post_hoc=None,
        training=False,
        log_shares=lambda: torch.zeros(2).double(),
    )


@pytest.fixture
def head():
    """The first class wins by the length of its row alone."""
    head = LinearHead(2, 2, bias=False)
    with torch.no_grad():
        head.weight.copy_(torch.tensor([[4.0, 0.0], [0.0, 1.0]]))
    return head


def test_tau_is_chosen_by_the_accuracy_of_classes_not_of_images(head, monkeypatch):
    # 9 images of class 0 are always right; the one of class 1 is right from 4^(1 - tau) < 2 on.
    x = torch.cat([torch.tensor([[1.0, 0.0]]).repeat(9, 1), torch.tensor([[0.5, 1.0]])])
    y = torch.tensor([0] * 9 + [1])
    monkeypatch.setattr(
        "lt_lightning.post_hoc.tau_normalization.training_features", lambda model, data: (x, y)
    )
    change, model = TauNormalization(tau=None, fit_on="training"), finished(head)
    change.apply(model, None)
    assert change.tau == pytest.approx(0.6)
    assert change.curve[0.0] == 0.5
    assert change.curve[1.0] == 1.0
    assert torch.equal(model.head(x).argmax(1), y)
    assert change.fitted_on == "training"


def test_a_tau_that_was_given_has_no_curve(head):
    change = TauNormalization(tau=0.5)
    change.apply(finished(head), None)
    assert change.curve == {}
    assert change.fitted_on is None


def test_tau_curve_is_the_mean_over_classes():
    logits = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    assert accuracy_curve([(0.5, logits)], torch.tensor([0, 0, 1]), 2) == {0.5: 0.5}


def test_held_out_images_are_asked_for_in_words(head):
    data = SimpleNamespace(has_validation=False, monitor_test=False)
    with pytest.raises(UserError, match="no held-out images"):
        TauNormalization(tau=None).apply(finished(head), data)


def test_test_images_are_never_taken_for_held_out_ones(head):
    data = SimpleNamespace(has_validation=True, monitor_test=True)
    with pytest.raises(UserError, match="no held-out images"):
        TemperatureScaling().apply(finished(head), data)


def test_class_means_replace_the_classifier(head, monkeypatch):
    x = torch.tensor([[1.0, 0.1], [1.0, 0.2], [0.1, 1.0], [0.2, 1.0]])
    y = torch.tensor([1, 1, 0, 0])
    monkeypatch.setattr(
        "lt_lightning.post_hoc.nearest_mean.training_features", lambda model, data: (x, y)
    )
    model = finished(head)
    NearestMean().apply(model, None)
    assert torch.equal(model.head(x).argmax(1), y)


def test_temperature_is_found_again():
    """Labels drawn from softmax(z) are calibrated, so for the logits 3 z the temperature is 3."""
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(20000, 3, generator=generator) * 2
    y = torch.multinomial(z.softmax(1), 1, generator=generator).squeeze(1)
    log_t = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    minimise_nll(3 * z, y, [log_t], lambda values: values / log_t.exp())
    assert log_t.exp().item() == pytest.approx(3, rel=0.05)


@pytest.mark.parametrize(
    ("logits", "temperature", "says"),
    [
        ([[2.0, 0.0], [0.0, 1.0]], 1, "All of the 2 held-out images are right"),
        ([[0.0, 2.0], [1.0, 0.0]], 200, "tell nothing of the classes of the 2 held-out images"),
    ],
)
def test_a_temperature_without_a_minimum_is_told(monkeypatch, caplog, logits, temperature, says):
    """Trap: the fit ran away to 1e-5, after which noise had the confidence 1."""
    z, y = torch.tensor(logits), torch.tensor([0, 1])
    monkeypatch.setattr(
        "lt_lightning.post_hoc.calibration.held_out_logits", lambda model, data: (z, y)
    )
    change, model = TemperatureScaling(), finished(None)
    change.apply(model, None)
    assert change.temperature == temperature
    assert torch.equal(model.post_hoc(z), z / temperature)
    assert says in caplog.text


@pytest.mark.parametrize(("decay", "grows"), [(0.0, False), (0.01, True)])
def test_a_scale_without_a_minimum_stays_one_and_a_decay_gives_it_one(monkeypatch, decay, grows):
    z, y = torch.tensor([[2.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 1])
    monkeypatch.setattr(
        "lt_lightning.post_hoc.calibration.held_out_logits", lambda model, data: (z, y)
    )
    change, model = VectorScalingCalibration(decay=decay), finished(None)
    change.apply(model, None)
    assert torch.equal(model.post_hoc(z), z) is not grows
    assert model.post_hoc(z).abs().max() < 10


def test_a_class_without_a_held_out_image_loses_nothing(monkeypatch, caplog):
    """Trap: it was pushed down in every held-out image, and was never predicted any more."""
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(400, 3, generator=generator) * 4
    y = torch.multinomial((z[:, [0, 2]] / 2).softmax(1), 1, generator=generator).squeeze(1) * 2
    monkeypatch.setattr(
        "lt_lightning.post_hoc.calibration.held_out_logits", lambda model, data: (z, y)
    )
    three, two = finished(None), finished(None)
    three.num_classes, three.class_names = 3, ["cat", "dog", "eel"]
    found = VectorScalingCalibration().apply(three, None)
    assert "taken for 1 class without a held-out image (dog)" in caplog.text
    monkeypatch.setattr(
        "lt_lightning.post_hoc.calibration.held_out_logits", lambda *_: (z[:, [0, 2]], y // 2)
    )
    alone = VectorScalingCalibration().apply(two, None)
    for name in ("scale", "bias"):
        assert torch.equal(found[name][[0, 2]], alone[name])
        assert found[name][1] == pytest.approx(float(alone[name].mean()), abs=1e-6)
    dogs = torch.randn(400, 3, generator=generator) + torch.tensor([0.0, 3.0, 0.0])
    assert (three.post_hoc(dogs).argmax(1) == 1).sum() >= (dogs.argmax(1) == 1).sum() - 8


def test_classes_count_alike_in_the_fit():
    """One image of class 1 counts as much as 99 of class 0: the bias stays 0."""
    logits, y = torch.zeros(100, 2), torch.tensor([0] * 99 + [1])
    bias = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    minimise_nll(logits, y, [bias], lambda values: values + bias)
    assert (bias[0] - bias[1]).item() == pytest.approx(0, abs=1e-4)


def test_scaling_lowers_the_loss_and_keeps_or_moves_the_class(monkeypatch):
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(400, 2, generator=generator) * 6
    y = torch.randint(2, (400,), generator=generator)
    monkeypatch.setattr(
        "lt_lightning.post_hoc.calibration.held_out_logits", lambda model, data: (z, y)
    )
    for change in (TemperatureScaling(), VectorScalingCalibration()):
        model = finished(None)
        change.apply(model, None)
        assert F.cross_entropy(model.post_hoc(z), y) < F.cross_entropy(z, y)
        if isinstance(change, TemperatureScaling):
            assert torch.equal(model.post_hoc(z).argmax(1), z.argmax(1))


@pytest.mark.parametrize("bad", [lambda: TauNormalization(tau=-1), lambda: NearestMean("x", 0)])
def test_impossible_knobs_are_refused(bad):
    with pytest.raises(UserError, match="give"):
        bad()
