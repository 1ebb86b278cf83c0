"""What a fit of every public method must show."""

import math

import lightning as L
import pytest
import torch

from lt_lightning.augment import Mixup
from lt_lightning.errors import UserError
from lt_lightning.methods import ERM, MoCo
from lt_lightning.testing import check_method

ACCURACIES = {"acc", "acc_macro", "acc_worst", "acc_many", "acc_medium", "acc_few"}
EVALUATED = ACCURACIES | {"f1_macro", "nll", "ece", "mce", "brier"}
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


def test_contract(lab, method):
    needs = lab.settings(method, lab.data(method))
    stages = {"stage1_epochs": 1, "stage2_epochs": 1} if method.num_stages == 2 else {}
    check_method(method, data=lambda: lab.data(method), **{**needs, **stages})


def test_every_trained_parameter_has_moved(fitted):
    trained = {name for name, p in fitted.module.named_parameters() if p.requires_grad}
    assert fitted.watch.moved >= trained


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


class _Rates(L.Callback):
    def __init__(self):
        self.seen = []

    def on_train_epoch_end(self, trainer, module):
        self.seen.append(float(trainer.callback_metrics["train/lr"]))


class Silent(ERM):
    def training_step(self, batch, batch_idx):
        super().training_step(batch, batch_idx)


class Bare(ERM):
    def training_step(self, batch, batch_idx):
        images, targets = batch
        return self.loss(self.head(self.backbone(images)), targets)


@pytest.mark.parametrize(
    ("kind", "did"), [(Silent, "returned nothing"), (Bare, "did not use log_train")]
)
# Lightning's own word about a step that returns nothing comes before ours.
@pytest.mark.filterwarnings("ignore:.training_step. returned .None.")
def test_a_step_without_a_loss_in_the_record_is_refused(lab, kind, did):
    with pytest.raises(UserError, match=f"{kind.__name__}.training_step {did}: let it end with"):
        lab.fit(kind, epochs=1, **SHORT)


def test_contract_holds_on_the_toy_data():
    check_method(ERM, mixing=Mixup())


DTYPES = {"64-true": torch.float64, "bf16-true": torch.bfloat16, "16-true": torch.float16}


@pytest.mark.parametrize("precision", DTYPES)
def test_all_parts_have_the_precision_of_the_trainer(lab, method_of_each_kind, precision):
    """Trap: a classifier that stage 2 makes has that of torch."""
    found = lab.fit(method_of_each_kind, epochs=1, precision=precision, **SHORT)
    assert all(math.isfinite(value) for value in found.watch.losses)
    assert {weight.dtype for weight in found.module.parameters()} == {DTYPES[precision]}
