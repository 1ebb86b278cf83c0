"""What a fit of every public method must show."""

import math

import lightning as L
import numpy as np
import pytest
import torch

from lt_lightning.methods import MoCo

ACCURACIES = {"acc", "acc_macro", "acc_worst", "acc_many", "acc_medium", "acc_few"}
EVALUATED = ACCURACIES | {"nll", "ece", "mce", "brier"}
RATE = 0.1
SHORT = {"limit_train_batches": 2, "limit_val_batches": 0}


def test_loss_is_finite_and_falls(fitted):
    losses = fitted.watch.losses
    assert all(math.isfinite(value) for value in losses)
    if fitted.method is MoCo:
        return  # its queue begins with random keys, which are easy; see test_moco
    stages = [fitted.module.stage_at(epoch).number for epoch in range(len(losses))]
    for stage in set(stages):
        part = [value for value, number in zip(losses, stages, strict=True) if number == stage]
        assert part[-1] < (0.8 if stage == 1 else 1.0) * part[0]


def test_small_set_is_learned(fitted):
    images = fitted.data.eval_loader("train")
    fitted.module.eval()
    with torch.no_grad():
        right = [fitted.module.predict_logits(x).argmax(1) == y for x, y in images]
    without_labels = getattr(fitted.module, "self_supervised", False)
    assert torch.cat(right).float().mean() > (0.5 if without_labels else 0.8)


def test_every_trained_parameter_has_a_gradient_in_every_step(fitted):
    assert not fitted.watch.missing
    trained = {name for name, p in fitted.module.named_parameters() if p.requires_grad}
    assert fitted.watch.moved >= trained


def test_only_the_loss_of_a_step_keeps_its_graph(fitted):
    assert not fitted.watch.with_graph


def test_train_and_validation_metrics_have_the_house_names(fitted):
    train = {name for name in fitted.metrics if name.startswith("train/")}
    assert {"train/loss", "train/lr"} <= train
    assert {name for name in fitted.metrics if name.startswith("val/")} == _under(fitted, "val")
    assert all(name.split("/")[0] in ("train", "val") or "/" not in name for name in fitted.metrics)


def test_test_metrics_have_the_house_names(fitted):
    (found,) = fitted.trainer.test(fitted.module, datamodule=fitted.data, verbose=False)
    own = {f"test/{name}" for name in getattr(fitted.module, "pretext_values", dict)()}
    assert set(found) == _under(fitted, "test") | own


def _under(fitted, split):
    return {f"{split}/{name}" for name in EVALUATED | fitted.own_metrics}


def test_first_epoch_has_the_full_learning_rate_of_the_schedule(lab, method):
    rates = _Rates()
    lab.fit(method, rates, epochs=1, limit_train_batches=1, limit_val_batches=0)
    assert rates.seen[0] == pytest.approx(RATE)


def test_weights_do_not_depend_on_the_global_generator(lab, method):
    first = lab.fit(method, epochs=1, **SHORT)
    second = lab.fit(method, _Disturb(), epochs=1, **SHORT)
    _same_weights(first.module, second.module)


class _Rates(L.Callback):
    def __init__(self):
        self.seen = []

    def on_train_epoch_end(self, trainer, module):
        self.seen.append(float(trainer.callback_metrics["train/lr"]))


class _Disturb(L.Callback):
    """Draws from the generators that a library may not rely on."""

    def on_train_batch_start(self, *args):
        torch.rand(3)
        np.random.random()  # noqa: NPY002  the legacy generator is what is disturbed


def test_resumed_run_ends_with_the_weights_of_one_never_stopped(lab, method, tmp_path):
    whole = lab.fit(method, epochs=2, **SHORT)
    part = lab.fit(method, _StopAfter(0), epochs=2, **SHORT)
    assert part.trainer.current_epoch == 1
    part.trainer.save_checkpoint(tmp_path / "part.ckpt")
    rest = lab.fit(method, epochs=2, ckpt_path=tmp_path / "part.ckpt", **SHORT)
    _same_weights(whole.module, rest.module)


class _StopAfter(L.Callback):
    def __init__(self, epoch):
        self.epoch = epoch

    def on_train_epoch_end(self, trainer, module):
        trainer.should_stop = trainer.should_stop or trainer.current_epoch == self.epoch


def _same_weights(first, second):
    for (name, a), b in zip(first.state_dict().items(), second.state_dict().values(), strict=True):
        assert torch.equal(a, b), name
