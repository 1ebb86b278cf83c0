"""HybridContrastive's training step against the equation, and what it counts and decays."""

import copy
import math

import lightning as L
import pytest
import torch
from torch import nn

from lt_lightning.losses import PrototypicalContrastive, SupervisedContrastive
from lt_lightning.methods import HybridContrastive
from lt_lightning.schedule import Constant, ParabolicDecay

SHORT = {"limit_train_batches": 2, "limit_val_batches": 0}
ONE_VIEW = {"views": None}


class Steps(L.Callback):
    """Keeps network, batch and result of every step."""

    def __init__(self):
        self.steps = []

    def on_train_batch_start(self, trainer, module, batch, batch_idx):
        parts = (module.backbone, module.head, module.projection, module.feature_loss)
        self.before = copy.deepcopy(parts)

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        after = copy.deepcopy(module.backbone)
        self.steps.append((*self.before, batch, outputs, trainer.current_epoch, after))


def _steps(lab, data=None, **model):
    steps = Steps()
    made = lab.data(HybridContrastive, **(data or {}))
    found = lab.fit(HybridContrastive, steps, data=made, epochs=3, model=model, **SHORT)
    return steps.steps, found


def _cross_entropy(logits, targets):
    total = 0.0
    for row, target in zip(logits.tolist(), targets.tolist(), strict=True):
        total += math.log(sum(math.exp(z) for z in row)) - row[target]
    return total / len(targets)


def _dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def _supervised(z, y, temperature):
    z, y, values = z.tolist(), y.tolist(), []
    for i in range(len(z)):
        others = [k for k in range(len(z)) if k != i]
        total = sum(math.exp(_dot(z[i], z[k]) / temperature) for k in others)
        logs = [_dot(z[i], z[k]) / temperature - math.log(total) for k in others if y[k] == y[i]]
        if logs:
            values.append(-sum(logs) / len(logs))
    return sum(values) / len(values)


def _prototypical(z, y, prototypes, temperature):
    z, y, total = z.tolist(), y.tolist(), 0.0
    rows = [[a / math.hypot(*row) for a in row] for row in prototypes.tolist()]
    for embedding, own in zip(z, y, strict=True):
        rivals = [_dot(embedding, row) / temperature for c, row in enumerate(rows) if c != own]
        total += math.log(sum(map(math.exp, rivals))) - _dot(embedding, rows[own]) / temperature
    return total / len(z)


@torch.no_grad()
@pytest.mark.parametrize("joint", [True, False])
@pytest.mark.parametrize("kind", [SupervisedContrastive, PrototypicalContrastive])
def test_loss_is_that_of_the_equation_in_every_step(lab, kind, joint):
    steps, _ = _steps(lab, feature_loss=kind, joint_pass=joint, alpha=ParabolicDecay())
    assert [epoch for *_, epoch, _ in steps] == [0, 0, 1, 1, 2, 2]
    for backbone, head, projection, loss, batch, outputs, epoch, _ in steps:
        alpha = 1 - (epoch / 3) ** 2
        (x_f, y_f), (x_c, y_c) = batch["features"], batch["classifier"]
        if joint:
            both = backbone(torch.cat([x_f, x_c]))
            of_f, of_c = both[: len(x_f)], both[len(x_f) :]
        else:
            of_f, of_c = backbone(x_f), backbone(x_c)
        z = projection(of_f)
        if kind is SupervisedContrastive:
            contrasted = _supervised(z, y_f, 0.1)
        else:
            contrasted = _prototypical(z, y_f, loss.prototypes, 1.0)
        classified = _cross_entropy(head(of_c), y_c)
        assert float(outputs["loss_features"]) == pytest.approx(contrasted, rel=1e-3)
        assert float(outputs["loss_classifier"]) == pytest.approx(classified, rel=1e-3)
        total = alpha * contrasted + (1 - alpha) * classified
        assert float(outputs["loss"]) == pytest.approx(total, rel=1e-3)


@pytest.mark.parametrize(("joint", "passes"), [(True, 1), (False, 2)])
def test_batch_norm_is_moved_once_in_each_pass(lab, joint, passes):
    steps, _ = _steps(lab, joint_pass=joint)
    for backbone, *_, after in steps:
        old, new = backbone.stem[1], after.stem[1]
        assert int(new.num_batches_tracked - old.num_batches_tracked) == passes


def test_features_have_two_views_and_the_classifier_one(lab):
    steps, _ = _steps(lab)
    for *_, batch, _, _, _ in steps:
        images, targets = batch["features"]
        assert images.shape[0] == len(targets) == 16
        assert torch.equal(targets[:8], targets[8:])
        assert len(batch["classifier"][1]) == 8


@pytest.mark.parametrize(("alpha", "idle"), [(1.0, "head"), (0.0, "projection")])
def test_branch_without_weight_has_zero_gradients_and_not_none(lab, alpha, idle):
    look = _Gradients(idle)
    lab.fit(HybridContrastive, look, epochs=1, model={"alpha": Constant(alpha)}, **SHORT)
    assert look.steps == 2


class _Gradients(L.Callback):
    def __init__(self, idle):
        self.idle, self.steps = idle, 0

    def on_after_backward(self, trainer, module):
        self.steps += 1
        for name in ("head", "projection"):
            found = [parameter.grad for parameter in getattr(module, name).parameters()]
            assert all(gradient is not None for gradient in found)
            assert all(not gradient.any() for gradient in found) == (name == self.idle)


def test_batches_without_a_positive_pair_are_counted_and_train_the_classifier(lab):
    one = {**ONE_VIEW, "batch_size": 1}
    _, found = _steps(lab, one, alpha=Constant(0.5))
    assert found.metrics["train/skipped_batches"] == 2
    assert found.metrics["train/dropped_anchors"] == 1
    assert found.metrics["train/loss_features"] == 0
    assert found.metrics["train/loss"] == pytest.approx(found.metrics["train/loss_classifier"] / 2)
    assert all(bool(value.isfinite().all()) for value in found.module.state_dict().values())


def test_no_batch_is_skipped_with_two_views(lab):
    _, found = _steps(lab, {"batch_size": 1})
    assert found.metrics["train/skipped_batches"] == 0
    assert found.metrics["train/dropped_anchors"] == 0


def test_share_of_dropped_anchors_is_logged(lab):
    steps, found = _steps(lab, ONE_VIEW)
    shares = []
    for *_, batch, outputs, epoch, _ in steps:
        y = batch["features"][1].tolist()
        share = sum(y.count(label) == 1 for label in y) / len(y)
        assert float(outputs["dropped_anchors"]) == pytest.approx(share)
        shares += [share] if epoch == 2 else []
    assert found.metrics["train/dropped_anchors"] == pytest.approx(sum(shares) / 2)
    assert sum(shares) > 0


def test_learned_prototypes_have_the_learning_rate_but_no_decay(lab):
    _, found = _steps(lab, feature_loss=PrototypicalContrastive)
    first, second = found.trainer.optimizers[0].param_groups
    assert [id(p) for p in second["params"]] == [id(found.module.feature_loss.prototypes)]
    assert (first["weight_decay"], second["weight_decay"]) == (2e-4, 0.0)
    assert first["lr"] == second["lr"]
    held = {id(p) for group in (first, second) for p in group["params"]}
    assert held == {id(p) for p in found.module.parameters()}


def test_supervised_form_has_one_group(lab):
    _, found = _steps(lab)
    assert len(found.trainer.optimizers[0].param_groups) == 1


def test_moving_prototypes_are_kept_in_the_checkpoint(lab):
    def kind(counts, width):
        return PrototypicalContrastive(counts, width, prototypes="moving")

    _, found = _steps(lab, feature_loss=kind)
    state = found.module.state_dict()
    assert state["feature_loss.seen"].any()
    assert "feature_loss.prototypes" not in dict(found.module.named_parameters())
    lengths = state["feature_loss.prototypes"].norm(dim=1)
    torch.testing.assert_close(lengths, torch.ones_like(lengths))


def test_projection_plays_no_part_at_test(lab, images):
    module = lab.module(HybridContrastive).eval()
    before = module.predict_logits(images)
    for parameter in module.projection.parameters():
        nn.init.zeros_(parameter)
    assert torch.equal(module.predict_logits(images), before)


def test_default_is_parabolic_decay_and_the_supervised_form():
    module = HybridContrastive(class_counts=[5, 3])
    assert isinstance(module.alpha, ParabolicDecay)
    assert isinstance(module.feature_loss, SupervisedContrastive)
    assert module.joint_pass
    assert (module.projection.layers[0].out_features, module.projection.out_features) == (64, 128)
