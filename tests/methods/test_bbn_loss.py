"""BBN's training step against the equation, with the network taken to pieces."""

import copy
import math

import lightning as L
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lt_lightning.methods import BBN
from lt_lightning.schedule import Constant, ParabolicDecay

SHORT = {"limit_train_batches": 2, "limit_val_batches": 0}
MOMENTUM = 0.1  # of batch norm


class Steps(L.Callback):
    """Keeps network, batch and result of every step."""

    def __init__(self):
        self.steps = []

    def on_train_batch_start(self, trainer, module, batch, batch_idx):
        self.before = copy.deepcopy((module.backbone, module.head))

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        after = copy.deepcopy(module.backbone)
        self.steps.append((*self.before, batch, outputs, trainer.current_epoch, after))


def _steps(lab, **model):
    steps = Steps()
    found = lab.fit(BBN, steps, epochs=3, model=model, **SHORT)
    return steps.steps, found.module


def _cross_entropy(logits, targets):
    total = 0.0
    for row, target in zip(logits.tolist(), targets.tolist(), strict=True):
        total += math.log(sum(math.exp(z) for z in row)) - row[target]
    return total / len(targets)


def _mixed_logits(f_c, f_r, head, alpha):
    """z = 2 (alpha W_c f_c + (1 - alpha) W_r f_r) + b, one number at a time."""
    width = f_c.shape[1]
    rows = []
    for i in range(len(f_c)):
        row = []
        for k in range(head.out_features):
            conventional = sum(head.weight[k, d] * f_c[i, d] for d in range(width))
            rebalancing = sum(head.weight[k, width + d] * f_r[i, d] for d in range(width))
            row.append(2 * (alpha * conventional + (1 - alpha) * rebalancing) + head.bias[k])
        rows.append(torch.stack(row))
    return torch.stack(rows)


@torch.no_grad()
def test_loss_is_that_of_the_equation_in_every_step(lab):
    steps, _ = _steps(lab)
    assert [epoch for *_, epoch, _ in steps] == [0, 0, 1, 1, 2, 2]
    for backbone, head, batch, outputs, epoch, _ in steps:
        alpha = 1 - (epoch / 3) ** 2
        (x_c, y_c), (x_r, y_r) = batch["uniform"], batch["reversed"]
        f_c = backbone.conventional(backbone.shared(x_c))
        f_r = backbone.rebalancing(backbone.shared(x_r))
        logits = _mixed_logits(f_c, f_r, head, alpha)
        uniform, reversed_ = _cross_entropy(logits, y_c), _cross_entropy(logits, y_r)
        assert float(outputs["loss_uniform"]) == pytest.approx(uniform, rel=1e-4)
        assert float(outputs["loss_reversed"]) == pytest.approx(reversed_, rel=1e-4)
        total = alpha * uniform + (1 - alpha) * reversed_
        assert float(outputs["loss"]) == pytest.approx(total, rel=1e-4)


def _stem_maps(backbone, images):
    return F.conv2d(images, backbone.stem[0].weight, padding=1)


def _moved(mean, var, maps):
    """Return the running statistics after one more batch."""
    rows = maps.transpose(0, 1).flatten(1)
    new_mean = (1 - MOMENTUM) * mean + MOMENTUM * rows.mean(1)
    return new_mean, (1 - MOMENTUM) * var + MOMENTUM * rows.var(1, unbiased=True)


@torch.no_grad()
def test_running_statistics_move_by_the_uniform_batch_first_and_then_the_reversed(lab):
    steps, _ = _steps(lab)
    backbone, _, batch, _, _, after = steps[0]
    old, new = backbone.stem[1], after.stem[1]
    mean, var = old.running_mean, old.running_var
    for stream in ("uniform", "reversed"):
        mean, var = _moved(mean, var, _stem_maps(backbone, batch[stream][0]))
    torch.testing.assert_close(new.running_mean, mean)
    torch.testing.assert_close(new.running_var, var)
    assert new.num_batches_tracked - old.num_batches_tracked == 2


@torch.no_grad()
def test_each_branch_has_the_statistics_of_its_own_stream(lab):
    steps, _ = _steps(lab)
    backbone, _, batch, _, _, after = steps[0]
    for name, stream in (("conventional", "uniform"), ("rebalancing", "reversed")):
        old, new = (getattr(b, f"block_{name}") for b in (backbone, after))
        assert new.bn1.num_batches_tracked - old.bn1.num_batches_tracked == 1
        maps = old.conv1(copy.deepcopy(backbone).shared(batch[stream][0]))
        mean, var = _moved(old.bn1.running_mean, old.bn1.running_var, maps)
        torch.testing.assert_close(new.bn1.running_mean, mean, rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(new.bn1.running_var, var, rtol=1e-4, atol=1e-6)


@torch.no_grad()
def test_joint_pass_normalises_both_streams_together(lab):
    steps, _ = _steps(lab, joint_pass=True)
    backbone, _, batch, _, _, after = steps[0]
    old, new = backbone.stem[1], after.stem[1]
    both = torch.cat([batch["uniform"][0], batch["reversed"][0]])
    mean, var = _moved(old.running_mean, old.running_var, _stem_maps(backbone, both))
    torch.testing.assert_close(new.running_mean, mean)
    torch.testing.assert_close(new.running_var, var)
    assert new.num_batches_tracked - old.num_batches_tracked == 1


class _FixedNorm(L.Callback):
    def on_train_epoch_start(self, trainer, module):
        for part in module.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.eval()


def test_joint_pass_differs_in_batch_norm_only(lab):
    found = {}
    for joint in (False, True):
        for fixed in (False, True):
            callbacks = [_FixedNorm()] if fixed else []
            run = lab.fit(BBN, *callbacks, epochs=2, model={"joint_pass": joint}, **SHORT)
            found[joint, fixed] = run.watch.losses
    assert found[True, True] == pytest.approx(found[False, True], rel=1e-3)
    assert found[True, False] != pytest.approx(found[False, False], rel=1e-3)


@torch.no_grad()
def test_test_logits_are_those_of_training_at_alpha_one_half(lab, images):
    module = lab.fit(BBN, epochs=2).module.eval()
    maps = module.backbone.shared(images)
    f_c, f_r = module.backbone.conventional(maps), module.backbone.rebalancing(maps)
    assert not torch.allclose(f_c, f_r)
    expected = _mixed_logits(f_c, f_r, module.head, 0.5)
    torch.testing.assert_close(module.predict_logits(images), expected, rtol=1e-4, atol=1e-4)


def test_default_is_parabolic_decay(lab):
    assert isinstance(lab.module(BBN).alpha, ParabolicDecay)


@pytest.mark.parametrize(("alpha", "idle"), [(1.0, "rebalancing"), (0.0, "conventional")])
def test_branch_without_weight_has_zero_gradients_and_not_none(lab, alpha, idle):
    look = _Gradients(idle)
    lab.fit(BBN, look, epochs=1, model={"alpha": Constant(alpha)}, **SHORT)
    assert look.steps == 2


class _Gradients(L.Callback):
    """Looks at the gradients of the branch that has no weight, and of the other."""

    def __init__(self, idle):
        self.idle, self.steps = idle, 0

    def on_after_backward(self, trainer, module):
        self.steps += 1
        half = module.head.in_features // 2
        weight = module.head.weight.grad
        halves = {"conventional": weight[:, :half], "rebalancing": weight[:, half:]}
        for name, of_head in halves.items():
            block = getattr(module.backbone, f"block_{name}")
            found = [*(parameter.grad for parameter in block.parameters()), of_head]
            assert all(gradient is not None for gradient in found)
            assert all(bool((gradient == 0).all()) == (name == self.idle) for gradient in found)
