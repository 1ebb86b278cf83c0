"""ERM with mixing: the two-label loss by hand, and in which epochs there is one."""

import copy
import math

import lightning as L
import pytest
import torch
import torch.nn.functional as F

from lt_lightning.augment import ManifoldMixup, Mixed, Mixing, Mixup
from lt_lightning.losses import CrossEntropy, EffectiveNumber
from lt_lightning.methods import ERM
from lt_lightning.schedule import StepAt

SHORT = {"limit_train_batches": 2, "limit_val_batches": 0}


class Halves(Mixing):
    """Mixes each image with the one before it, by a share that grows along the batch."""

    def __init__(self):
        self.calls = []

    def __call__(self, images, targets, class_counts, generator):
        self.calls.append(class_counts.tolist())
        share = torch.linspace(0.2, 0.9, len(images))
        weight = share.view(-1, 1, 1, 1)
        mixed = weight * images + (1 - weight) * images.roll(1, 0)
        return Mixed(mixed, targets, targets.roll(1, 0), share)


class Steps(L.Callback):
    def __init__(self):
        self.steps = []

    def on_train_batch_start(self, trainer, module, batch, batch_idx):
        self.before = copy.deepcopy((module.backbone, module.head, module.loss.weight))
        self.generator = module.step_generator(batch_idx)

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        loss = float(outputs["loss"].detach())
        self.steps.append((trainer.current_epoch, *self.before, self.generator, batch, loss))


def _steps(lab, epochs=1, **model):
    steps = Steps()
    lab.fit(ERM, steps, epochs=epochs, model=model, **SHORT)
    return steps.steps


def _weighted_mean(logits, targets, weight, share):
    """sum_i share_i w_i l_i / sum_i w_i"""
    above = below = 0.0
    for row, y, part in zip(logits.tolist(), targets.tolist(), share.tolist(), strict=True):
        value = math.log(sum(math.exp(z) for z in row)) - row[y]
        above += part * float(weight[y]) * value
        below += float(weight[y])
    return above / below


def _weighted(class_counts):
    return CrossEntropy(class_counts, weights=EffectiveNumber(beta=0.9))


@torch.no_grad()
def test_loss_of_a_mixed_batch_is_that_of_both_labels_with_their_own_weights(lab):
    for _, backbone, head, weight, _, (images, targets), loss in _steps(
        lab, mixing=Halves(), loss=_weighted
    ):
        mixed = Halves()(images, targets, torch.zeros(1), None)
        logits = head(backbone(mixed.images))
        expected = _weighted_mean(logits, mixed.targets_a, weight, mixed.share)
        expected += _weighted_mean(logits, mixed.targets_b, weight, 1 - mixed.share)
        assert len(set(weight.tolist())) > 1
        assert loss == pytest.approx(expected, rel=1e-4)


@torch.no_grad()
def test_manifold_mixup_mixes_the_features_that_enter_the_head(lab):
    mixing = ManifoldMixup(alpha=1.0, layers=["output"])
    for _, backbone, head, weight, generator, (images, targets), loss in _steps(lab, mixing=mixing):
        mixed = mixing(images, targets, torch.zeros(1), generator)
        features = backbone(images)
        lam = float(mixed.lam)
        logits = head(lam * features + (1 - lam) * features[mixed.permutation])
        expected = _weighted_mean(logits, targets, weight, mixed.share)
        expected += _weighted_mean(logits, mixed.targets_b, weight, 1 - mixed.share)
        assert loss == pytest.approx(expected, rel=1e-4)


@torch.no_grad()
def test_mixup_draws_from_the_generator_of_the_step(lab):
    mixing = Mixup(alpha=1.0)
    for _, backbone, head, weight, generator, (images, targets), loss in _steps(lab, mixing=mixing):
        mixed = mixing(images, targets, torch.zeros(1), generator)
        logits = head(backbone(mixed.images))
        expected = _weighted_mean(logits, targets, weight, mixed.share)
        expected += _weighted_mean(logits, mixed.targets_b, weight, 1 - mixed.share)
        assert loss == pytest.approx(expected, rel=1e-4)


def test_mixup_trains_as_a_loop_by_hand(lab):
    """Two epochs in float64: weight, partners, loss and step are all written here."""
    steps, epochs = Steps(), 2
    model = {"mixing": Mixup(alpha=1.0)}
    fitted = lab.fit(
        ERM, steps, epochs=epochs, model=model, precision="64-true", limit_val_batches=0
    )
    network = torch.nn.Sequential(*steps.steps[0][1:3])
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, weight_decay=2e-4)
    for epoch, _, _, _, generator, (images, targets), loss in steps.steps:
        gammas = torch._standard_gamma(torch.ones(2, 1).double(), generator=generator)
        lam = float(gammas[0] / gammas.sum())
        partner = torch.randperm(len(images), generator=generator)
        logits = network(lam * images + (1 - lam) * images[partner])
        value = lam * F.cross_entropy(logits, targets)
        value = value + (1 - lam) * F.cross_entropy(logits, targets[partner])
        optimizer.param_groups[0]["lr"] = 0.1 * (1 + math.cos(math.pi * epoch / epochs)) / 2
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        assert float(value.detach()) == pytest.approx(loss, rel=1e-5)  # lam is float32 there
    assert len(steps.steps) >= 4
    trained = torch.nn.Sequential(fitted.module.backbone, fitted.module.head)
    for ours, theirs in zip(network.parameters(), trained.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_mixing_is_given_the_class_counts(lab):
    mixing = Halves()
    _steps(lab, mixing=mixing)
    assert mixing.calls == [lab.data(ERM).class_counts.tolist()] * 2


@torch.no_grad()
def test_mixing_ends_with_its_schedule(lab):
    mixing = Halves()
    schedule = StepAt(at=0.5, before=1.0, after=0.0)
    steps = _steps(lab, epochs=4, mixing=mixing, mixing_schedule=schedule)
    assert len(mixing.calls) == 4  # two steps in each of two epochs
    for epoch, backbone, head, weight, _, (images, targets), loss in steps:
        logits = head(backbone(images))
        plain = _weighted_mean(logits, targets, weight, torch.ones(len(targets)))
        assert (loss == pytest.approx(plain, rel=1e-4)) == (epoch >= 2)


def test_without_a_schedule_every_epoch_is_mixed(lab):
    mixing = Halves()
    _steps(lab, epochs=3, mixing=mixing)
    assert len(mixing.calls) == 6
